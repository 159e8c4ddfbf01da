/* SPDX-License-Identifier: MIT */
/* Gridding, seen: what one pixel behind three dilated 3x3 convolutions of ones gets from a picture
 * in which one pixel is lit. Rates 2, 2, 2 and 1, 2, 3 reach equally far.
 *
 *   cc gridding.c $(pkg-config --cflags --libs atrous) -o gridding && ./gridding */
#include <stdio.h>
#include <stdlib.h>

#include "atrous.h"

enum { SIDE = 13, LAYERS = 3 };

static at_node *build(at_graph *g, const int rates[LAYERS]) {
    at_node *x = at_input(g, "image", 1);
    for (int i = 0; i < LAYERS; i++) {
        char name[16];
        snprintf(name, sizeof name, "conv%d", i);
        x = at_conv2d(g, name, x,
                      (at_conv2d_opts){.channels = 1,
                                       .kernel = {3, 3},
                                       .padding = {rates[i], rates[i]},
                                       .dilation = {rates[i], rates[i]},
                                       .no_bias = true,
                                       .init = {.kind = AT_INIT_CONSTANT, .value = 1}});
    }
    at_graph_set_output(g, x);
    return x;
}

/* Each number: on how many ways the lit pixel, in the middle, gets there; "." on none. By symmetry
 * also what the pixel in the middle sees of its surroundings. */
static void print(const int rates[LAYERS], at_tensor seen) {
    int reached = 0;
    printf("rates %d, %d, %d\n", rates[0], rates[1], rates[2]);
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++) {
            const float ways = at_f32(seen)[(y * SIDE + x) * seen.ld];
            reached += ways > 0;
            if (ways > 0)
                printf("%3.0f", (double)ways);
            else
                printf("  .");
        }
        putchar('\n');
    }
    printf("%d of %d pixels, %.1f %%\n\n", reached, SIDE * SIDE, 100.0 * reached / (SIDE * SIDE));
}

static at_status light(at_graph *g, const int rates[LAYERS], at_plan **plan, at_error *err) {
    at_node *out = build(g, rates);
    AT_TRY(at_graph_finish(g, err));
    AT_TRY(at_graph_init(g, 0, err));
    AT_TRY(at_plan_new(
        plan, g, (at_plan_opts){.height = SIDE, .width = SIDE, .mode = AT_INFER, .output = out},
        err));
    const at_tensor image = at_plan_value(*plan, at_graph_find(g, "image"));
    for (int i = 0; i < SIDE * SIDE; i++) at_f32(image)[i * image.ld] = i == SIDE * SIDE / 2;
    at_plan_forward(*plan);
    print(rates, at_plan_value(*plan, out));
    return AT_OK;
}

int main(void) {
    static const int rates[2][LAYERS] = {{2, 2, 2}, {1, 2, 3}};
    at_status status = AT_OK;
    for (int i = 0; i < 2 && status == AT_OK; i++) {
        at_error err = {0};
        at_plan *plan = NULL;
        at_graph *g = at_graph_new();
        if (!g) return EXIT_FAILURE;
        status = light(g, rates[i], &plan, &err);
        if (status != AT_OK) fprintf(stderr, "%s\n", err.text);
        at_plan_free(plan);
        at_graph_free(g);
    }
    return status == AT_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
