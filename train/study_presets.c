/* SPDX-License-Identifier: MIT */
/* Questions that others have asked, as JSON in the words of study.json. */
#include "train/study.h"

/* Table 1 of SegNet (Badrinarayanan, Kendall & Cipolla, TPAMI 2017): eight decoders behind one
 * encoder, with median-frequency balancing and without. The recipe is the released one (fixed lr
 * 0.1, momentum, batch 4, decay 5e-4, 10000 steps of 4 of 367 pictures: 109 epochs, no
 * augmentation), on whole pictures. What differs: gradients are clipped to a norm of 1, for with
 * that lr the four FCN-Basic variants, whose decoders have no norms, leave the range of floats
 * within 15 steps; the paper measures on test (--split test) the weights of the best epoch on val,
 * a study those of the last; its local contrast normalisation is the mean and deviation of the
 * training pictures here (--lrn adds the released code's layer). */
static const char segnet_table1[] =
    "{\"options\": {\"width\": 1, \"norm\": \"batch\", \"size\": \"360x480\", \"scale\": \"1\","
    " \"hflip\": 0, \"vflip\": 0, \"rotate\": 0, \"brightness\": 0, \"contrast\": 0,"
    " \"saturation\": 0, \"hue\": 0, \"optimizer\": \"sgd\", \"lr\": 0.1, \"momentum\": 0.9,"
    " \"weight-decay\": 0.0005, \"clip\": 1, \"schedule\": \"constant\", \"warmup\": 0,"
    " \"loss\": \"ce\", \"batch\": 4, \"epochs\": 109, \"val-every\": 5},"
    " \"axes\": ["
    "{\"name\": \"network\", \"values\": ["
    "{\"label\": \"Bilinear-Interpolation\", \"options\": {\"model\": \"fcn-basic\","
    " \"upsample\": \"bilinear\", \"skip\": \"none\", \"decoder\": \"reduced\"}},"
    "{\"label\": \"SegNet-Basic\", \"options\": {\"model\": \"segnet-basic\","
    " \"upsample\": \"unpool\", \"skip\": \"none\", \"decoder\": \"full\"}},"
    "{\"label\": \"SegNet-Basic-EncoderAddition\", \"options\": {\"model\": \"segnet-basic\","
    " \"upsample\": \"unpool\", \"skip\": \"add\", \"decoder\": \"full\"}},"
    "{\"label\": \"SegNet-Basic-SingleChannelDecoder\", \"options\": {\"model\": \"segnet-basic\","
    " \"upsample\": \"unpool\", \"skip\": \"none\", \"decoder\": \"single\"}},"
    "{\"label\": \"FCN-Basic\", \"options\": {\"model\": \"fcn-basic\","
    " \"upsample\": \"transposed\", \"skip\": \"add\", \"decoder\": \"reduced\"}},"
    "{\"label\": \"FCN-Basic-NoAddition\", \"options\": {\"model\": \"fcn-basic\","
    " \"upsample\": \"transposed\", \"skip\": \"none\", \"decoder\": \"reduced\"}},"
    "{\"label\": \"FCN-Basic-NoDimReduction\", \"options\": {\"model\": \"fcn-basic\","
    " \"upsample\": \"transposed\", \"skip\": \"add\", \"decoder\": \"full\"}},"
    "{\"label\": \"FCN-Basic-NoAddition-NoDimReduction\", \"options\": {\"model\": \"fcn-basic\","
    " \"upsample\": \"transposed\", \"skip\": \"none\", \"decoder\": \"full\"}}]},"
    "{\"name\": \"class-weights\", \"values\": ["
    "{\"label\": \"median\", \"options\": {\"class-weights\": \"median\"}},"
    "{\"label\": \"none\", \"options\": {\"class-weights\": \"none\"}}]}]}";

const at_study_preset at_study_presets[] = {
    {"segnet-table1", "the eight decoders of SegNet's table 1, with and without class weights",
     segnet_table1},
    {0},
};
