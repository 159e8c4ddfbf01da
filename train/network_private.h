/* SPDX-License-Identifier: MIT */
/* What checkpoints and the trainer share with networks. */
#ifndef AT_TRAIN_NETWORK_PRIVATE_H
#define AT_TRAIN_NETWORK_PRIVATE_H

#include "train/network.h"

/* The strings of a weights file (network.h lists them). New reference. */
at_status at_network_metadata(const at_network *net, json_t **out, at_error *err);
/* Everything but the graph from such strings. On error *net is as at_network_free leaves it. */
at_status at_network_read_metadata(at_network *net, const at_st_file *f, at_error *err);

/* Makes the graph that net->model and net->opts describe; not initialised. */
at_status at_network_build(at_network *net, at_error *err);

#endif
