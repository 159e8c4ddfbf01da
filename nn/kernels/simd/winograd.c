/* SPDX-License-Identifier: MIT */
/* The schemes of Winograd convolution in use, each an instance of wino.h. */
#include "nn/kernels/simd/wino.h"

void K(wino43_input)(const at_wino_in *t) {
    wino_input_kernel(&WINO43, t);
}
void K(wino43_weight)(const at_wino_in *t) {
    wino_weight_kernel(&WINO43, t);
}
void K(wino43_dy)(const at_wino_in *t) {
    wino_dy_kernel(&WINO43, t);
}
void K(wino43_output)(const at_wino_out *t) {
    wino_output_kernel(&WINO43, t);
}
void K(wino43_dw)(const at_wino_out *t) {
    wino_dw_kernel(&WINO43, t);
}

void K(wino44_input)(const at_wino_in *t) {
    wino_input_kernel(&WINO44, t);
}
void K(wino44_weight)(const at_wino_in *t) {
    wino_weight_kernel(&WINO44, t);
}
void K(wino44_dy)(const at_wino_in *t) {
    wino_dy_kernel(&WINO44, t);
}
void K(wino44_output)(const at_wino_out *t) {
    wino_output_kernel(&WINO44, t);
}
void K(wino44_dw)(const at_wino_out *t) {
    wino_dw_kernel(&WINO44, t);
}
