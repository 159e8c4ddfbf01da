/* SPDX-License-Identifier: MIT */
/* The engine's front door. */
#ifndef AT_NN_NN_H
#define AT_NN_NN_H

#include "nn/arith.h"
#include "nn/file.h"
#include "nn/graph.h"
#include "nn/json.h"
#include "nn/op.h"
#include "nn/plan.h"
#include "nn/random.h"
#include "nn/safetensors.h"
#include "nn/size.h"
#include "nn/status.h"
#include "nn/survey.h"
#include "nn/tensor.h"
#include "nn/threads.h"
#include "nn/tuning.h"
#include "nn/weights.h"

#endif
