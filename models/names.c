/* SPDX-License-Identifier: MIT */
/* How the choices are spelt, on the command line and in JSON alike. */
#include <string.h>

#include "models/options.h"

const char *const at_upsample_names[AT_UP_COUNT] = {
    [AT_UP_NEAREST] = "nearest",
    [AT_UP_BILINEAR] = "bilinear",
    [AT_UP_BICUBIC] = "bicubic",
    [AT_UP_TRANSPOSED] = "transposed",
    [AT_UP_UNPOOL] = "unpool",
    [AT_UP_PIXELSHUFFLE] = "pixelshuffle",
    [AT_UP_BILINEAR_CORNERS] = "bilinear-corners",
    [AT_UP_TRANSPOSED2] = "transposed2",
    [AT_UP_TRANSPOSED3] = "transposed3",
    [AT_UP_TRANSPOSED4] = "transposed4",
    [AT_UP_TRANSPOSED_BILINEAR] = "transposed-bilinear",
    [AT_UP_TRANSPOSED_FROZEN] = "transposed-frozen",
    [AT_UP_UNPOOL_CORNER] = "unpool-corner",
    [AT_UP_REPLICATE] = "replicate",
    [AT_UP_PIXELSHUFFLE_RANDOM] = "pixelshuffle-random",
    [AT_UP_DUC] = "duc",
    [AT_UP_ADDITIVE] = "additive",
};
const char *const at_norm_names[AT_NORM_COUNT] = {"batch", "group", "none"};
const char *const at_skip_names[AT_SKIP_COUNT] = {
    [AT_SKIP_NONE] = "none",
    [AT_SKIP_ADD] = "add",
};
const char *const at_decoder_names[AT_DECODER_COUNT] = {
    [AT_DECODER_FULL] = "full",
    [AT_DECODER_SINGLE] = "single",
    [AT_DECODER_REDUCED] = "reduced",
};
const char *const at_match_names[AT_MATCH_COUNT] = {"none", "params", "macs"};

int at_name_find(const char *const *names, int count, const char *text) {
    for (int i = 0; i < count; i++)
        if (names[i] != NULL && strcmp(names[i], text) == 0) return i;
    return -1;
}

const char *at_upsample_name(at_upsample u) {
    return (unsigned)u < AT_UP_COUNT ? at_upsample_names[u] : NULL;
}

at_upsample at_upsample_find(const char *name) {
    int u = at_name_find(at_upsample_names, AT_UP_COUNT, name);
    return u < 0 ? AT_UP_DEFAULT : (at_upsample)u;
}

const char *at_norm_name(at_norm_kind k) {
    return (unsigned)k < AT_NORM_COUNT ? at_norm_names[k] : NULL;
}

const char *at_skip_name(at_skip s) {
    return (unsigned)s < AT_SKIP_COUNT ? at_skip_names[s] : NULL;
}

const char *at_decoder_name(at_decoder d) {
    return (unsigned)d < AT_DECODER_COUNT ? at_decoder_names[d] : NULL;
}

const char *at_match_name(at_match m) {
    return (unsigned)m < AT_MATCH_COUNT ? at_match_names[m] : NULL;
}
