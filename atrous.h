/* SPDX-License-Identifier: MIT */
/* All of atrous: the front doors of its rooms. Link with -latrous. */
#ifndef ATROUS_H
#define ATROUS_H

#include "data/data.h"
#include "layers/layers.h"
#include "models/models.h"
#include "nn/nn.h"
#include "train/train.h"

#endif
