/* SPDX-License-Identifier: MIT */
/* Questions that others have asked. */
#include "train/study.h"

const at_study_preset at_study_presets[] = {{0}};
