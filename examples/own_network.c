/* SPDX-License-Identifier: MIT */
/* A network of one's own, from operators: two convolutions learn to tell the inside of a disc from
 * the outside. Graph, plan, run, as in every use of the library.
 *
 *   cc own_network.c $(pkg-config --cflags --libs atrous) -o own_network && ./own_network */
#include <stdio.h>
#include <stdlib.h>

#include "atrous.h"

enum { SIDE = 48, STEPS = 60, CLASSES = 2 };

/* Structure: no sizes of pictures here, and no checks: the first error stays with the graph. */
static at_node *build(at_graph *g) {
    at_node *x = at_input(g, "image", 1), *target = at_target(g, "target");
    x = at_conv2d(g, "conv1", x,
                  (at_conv2d_opts){.channels = 16, .kernel = {5, 5}, .padding = {2, 2}});
    x = at_relu(g, "relu", x);
    x = at_conv2d(g, "conv2", x,
                  (at_conv2d_opts){.channels = CLASSES,
                                   .kernel = {3, 3},
                                   .padding = {2, 2},
                                   .dilation = {2, 2}}); /* à trous */
    at_graph_set_output(g, x);
    return at_softmax_cross_entropy(g, "loss", x, target, (at_loss_opts){.ignore_count = 0});
}

/* A bright disc somewhere, in noise, and its mask. */
static void draw(at_rng *rng, at_tensor image, at_tensor target) {
    float cy = at_rng_range(rng, 12, SIDE - 12), cx = at_rng_range(rng, 12, SIDE - 12);
    for (int i = 0; i < SIDE * SIDE; i++) {
        float y = (float)(i / SIDE) - cy, x = (float)(i % SIDE) - cx;
        bool in = y * y + x * x < 100;
        at_f32(image)[i] = (in ? 0.7f : 0) + at_rng_range(rng, -1, 1);
        ((uint8_t *)target.data)[i] = in;
    }
}

static void train(at_plan *plan, at_graph *g, at_optim *optim, at_node *loss) {
    at_rng rng = at_rng_make(1, AT_RNG_TEST, 0, 0);
    at_tensor image = at_plan_value(plan, at_graph_find(g, "image"));
    at_tensor target = at_plan_value(plan, at_graph_find(g, "target"));
    for (int step = 1; step <= STEPS; step++) {
        draw(&rng, image, target);
        at_optim_zero_grad(optim);
        at_plan_forward(plan);
        at_plan_backward(plan);
        at_optim_step(optim, 1e-2, 1);
        if (step % 20 == 0)
            printf("step %d  loss %.3f\n", step, (double)*at_f32(at_plan_value(plan, loss)));
    }
}

static at_status run(at_graph *g, at_plan **plan, at_optim **optim, at_error *err) {
    at_node *loss = build(g);
    AT_TRY(at_graph_finish(g, err));
    AT_TRY(at_graph_init(g, 0, err));
    AT_TRY(at_plan_new(
        plan, g, (at_plan_opts){.height = SIDE, .width = SIDE, .mode = AT_TRAIN, .output = loss},
        err));
    AT_TRY(at_optim_new(optim, g, (at_optim_opts){.kind = AT_OPTIM_ADAMW}, err));
    train(*plan, g, *optim, loss);
    return AT_OK;
}

int main(void) {
    at_error err = {0};
    at_plan *plan = NULL;
    at_optim *optim = NULL;
    at_graph *g = at_graph_new();
    if (!g) return EXIT_FAILURE;
    at_status status = run(g, &plan, &optim, &err);
    if (status != AT_OK) fprintf(stderr, "%s\n", err.text);
    at_optim_free(optim);
    at_plan_free(plan);
    at_graph_free(g);
    return status == AT_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
