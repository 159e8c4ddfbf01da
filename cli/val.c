/* SPDX-License-Identifier: MIT */
/* atrous val: a network against the truth of a split. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static void on_image(void *arg, int done, int total, const at_image_score *score,
                     const at_image *image, const uint8_t *truth, const at_prediction *prediction) {
    const cli_opts *o = arg;
    (void)image, (void)truth, (void)prediction;
    if (!o->quiet && cli_live_due()) cli_live("val %d/%d  %s", done, total, score->name);
}

/* "0.873", or "-" where there is nothing to measure. */
static const char *figure(char text[16], double v) {
    if (isnan(v))
        snprintf(text, 16, "-");
    else
        snprintf(text, 16, "%.4f", v);
    return text;
}

static void print_classes(const at_evaluation *e, const at_classes *classes) {
    const at_boundary *bound = &e->measures->boundary;
    char a[16], b[16], c[16], d[16];
    printf("\n%4s %-20s %8s %9s %8s %8s %12s\n", "id", "class", "IoU", "accuracy", "Dice", "BF1",
           "pixels");
    for (int i = 0; i < e->metrics.classes; i++) {
        const at_class_metrics *k = &e->metrics.of[i];
        printf("%4d %-20s %8s %9s %8s %8s %12lld\n", i, classes->items[i].name, figure(a, k->iou),
               figure(b, k->accuracy), figure(c, k->dice),
               figure(d, at_boundary_class_f1(bound, AT_F1_NEAREST, i)), (long long)k->pixels);
    }
}

static void print_boundaries(const at_measures *m) {
    char a[16], b[16];
    double edge, interior;
    printf("\nboundary F1    %s   (off by at most %.2g %% of the diagonal; one to one: %s)\n",
           figure(a, at_boundary_f1(&m->boundary, AT_F1_NEAREST, false)), 100 * AT_F1_TOLERANCE,
           figure(b, at_boundary_f1(&m->boundary, AT_F1_MATCHED, true)));
    printf("boundary IoU   %s   (in a band of %.2g %% of the diagonal)\n",
           figure(a, at_boundary_iou(&m->boundary)), 100 * AT_IOU_DILATION);
    at_trimap_errors(&m->trimap, &edge, &interior);
    printf("wrong pixels   %s less than %d from an edge, %s elsewhere\n", figure(a, edge),
           AT_ERROR_WIDTH, figure(b, interior));
    printf("\npixels from an edge, <");
    for (int i = 0; i < AT_TRIMAP_WIDTHS; i++) printf(" %7d", at_trimap_widths[i]);
    printf("     all\nmIoU there            ");
    for (int i = 0; i <= AT_TRIMAP_WIDTHS; i++) printf(" %7s", figure(a, m->curve[i].miou));
    putchar('\n');
}

static void print_objects(const at_objects *o) {
    char a[16], label[32];
    printf("\nroot of an object's area");
    for (int i = 0; i < AT_OBJECT_BINS; i++) {
        const int from = i ? at_object_limits[i - 1] : 0, to = at_object_limits[i];
        snprintf(label, sizeof label, to ? "%d - %d" : ">= %d", from, to);
        printf(" %9s", label);
    }
    printf("\nobjects                 ");
    for (int i = 0; i < AT_OBJECT_BINS; i++)
        printf(" %9lld", (long long)at_objects_sum(o, i, i).objects);
    printf("\nfound                   ");
    for (int i = 0; i < AT_OBJECT_BINS; i++) {
        const at_object_bin b = at_objects_sum(o, i, i);
        printf(" %9s", figure(a, at_object_recall(&b)));
    }
    putchar('\n');
}

static void print_checkerboard(const at_measures *m) {
    const at_checkerboard *c = &m->checkerboard;
    char a[16];
    if (c->stride == 1) return;
    printf("\ngrid of        ");
    for (int p = 2; p <= c->stride; p++)
        if (c->stride % p == 0) printf(" %7d", p);
    printf("   pixels\nspectral peak  ");
    for (int p = 2; p <= c->stride; p++)
        if (c->stride % p == 0) printf(" %7s", figure(a, at_spectral_peak(c, p)));
    printf("   power of the logits there over that beside it\naccuracy spread");
    for (int p = 2; p <= c->stride; p++)
        if (c->stride % p == 0) printf(" %7s", figure(a, at_phase_gap(c, p)));
    printf("   from the best to the worst place in the grid\n");
}

static void print_upsamplers(const at_measures *m) {
    char a[16], b[16];
    for (int i = 0; i < m->upsampler_count; i++) {
        const at_upsampler *u = &m->upsamplers[i];
        printf("%s: kernel %dx%d, times %dx%d; overlap uneven by %s, trained sums by %s\n", u->node,
               u->kernel.h, u->kernel.w, u->stride.h, u->stride.w, figure(a, u->overlap),
               figure(b, u->polyphase));
    }
}

static void print(const at_evaluation *e, const at_network *net, const char *split) {
    const at_metrics *m = &e->metrics;
    printf("split %s: %d pictures, %lld counted pixels\n\n", split, e->images,
           (long long)m->pixels);
    printf("mIoU           %.4f   (always answering the commonest class: %.4f)\n", m->miou,
           m->majority_miou);
    printf("pixel accuracy %.4f   (always answering the commonest class: %.4f)\n",
           m->pixel_accuracy, m->majority_accuracy);
    printf("mean accuracy  %.4f\nfwIoU          %.4f\nmean Dice      %.4f\nloss           %.4f\n",
           m->mean_accuracy, m->fwiou, m->mean_dice, e->loss);
    print_boundaries(e->measures);
    print_objects(&e->measures->objects);
    print_checkerboard(e->measures);
    print_upsamplers(e->measures);
    print_classes(e, &net->classes);
    printf("\n%s\n", at_absent_rule);
}

static at_status save(const at_evaluation *e, const at_network *net, const char *dir,
                      at_error *err) {
    char *csv = at_path_join(dir, "per_image.csv"),
         *matrix = at_path_join(dir, "confusion_matrix.svg"),
         *trimap = at_path_join(dir, "trimap.svg");
    at_status s = csv && matrix && trimap ? at_evaluation_save_csv(e, csv, err)
                                          : at_fail_memory(err, "a path", 0);
    if (s == AT_OK) s = at_confusion_save_svg(matrix, &e->confusion, &net->classes, err);
    if (s == AT_OK) s = at_trimap_save_svg(trimap, e->measures->curve, err);
    free(csv);
    free(matrix);
    free(trimap);
    return s;
}

/* -o, or a fresh runs/val. Made before the work, so that a refusal comes early. */
static at_status make_output(const cli_opts *o, char **dir, at_error *err) {
    if (!o->output) return at_run_new(o->train.runs, "val", dir, err);
    *dir = strdup(o->output);
    if (!*dir) return at_fail_memory(err, "a path", strlen(o->output));
    return at_make_dirs(*dir, err);
}

static at_status report(const cli_opts *o, const at_evaluation *e, const at_network *net,
                        const char *dir, at_error *err) {
    cli_live_end();
    AT_TRY(save(e, net, dir, err));
    if (!o->quiet)
        cli_say("per image: %s/per_image.csv; pictures: %s/confusion_matrix.svg, %s/trimap.svg",
                dir, dir, dir);
    if (o->json) return cli_print_json(at_evaluation_to_json(e, net, o->split), err);
    print(e, net, o->split);
    return AT_OK;
}

/* What was held out for validation stays so: the weights know by which seed. Without --data the
 * seed also says which pictures are drawn. */
static at_status open_data(const cli_args *args, const at_network *net, at_dataset **d,
                           at_error *err) {
    cli_opts o = args->opts;
    if (!cli_given(args, "seed")) o.train.seed = net->split_seed;
    if (!cli_given(args, "val-share") && net->val_share > 0) o.train.val_share = net->val_share;
    return cli_open_data(&o, d, err);
}

static at_status evaluate(const cli_opts *o, at_network *net, const at_dataset *d, at_error *err) {
    at_evaluate_opts opts = {.measures = true, .each = on_image, .arg = (void *)(uintptr_t)o};
    const at_split *split;
    at_evaluation e;
    char *dir = NULL;
    AT_TRY(at_dataset_find_split(d, o->split, &split, err));
    AT_TRY(cli_predict_opts(o, &opts.predict, err));
    at_status s = make_output(o, &dir, err);
    if (s == AT_OK && (s = at_evaluate(net, d, split, opts, &e, err)) == AT_OK) {
        s = report(o, &e, net, dir, err);
        at_evaluation_free(&e);
    }
    free(dir);
    return s;
}

static at_status run(cli_args *args, at_error *err) {
    const cli_opts *o = &args->opts;
    at_network net = {0};
    at_dataset *d = NULL;
    AT_TRY(cli_start_threads(o, err));
    at_status s = cli_load_network(o, &net, err);
    if (s == AT_OK) s = open_data(args, &net, &d, err);
    if (s == AT_OK) s = evaluate(o, &net, d, err);
    if (s == AT_ERR_INPUT && d && !o->train.data)
        at_error_context(err, "without --data the synthetic set is used");
    at_dataset_free(d);
    at_network_free(&net);
    return s;
}

const cli_command cli_val = {
    .name = "val",
    .arguments = "",
    .summary =
        "Measures a network on a split: mIoU, accuracies, Dice, boundaries, objects by size, "
        "checkerboards, a table of the classes.",
    .details =
        "Also writes per_image.csv, confusion_matrix.svg and trimap.svg, into runs/val or the "
        "folder of -o. docs/measures.md says what every number means.",
    .options =
        "weights data split ignore classes val-share seed tta tile overlap threads precision conv "
        "max-mem runs output json quiet",
    .defaults = (const cli_default[]){{"split", "val"}, {NULL, NULL}},
    .examples = "atrous val --weights runs/train --data camvid --split val\n"
                "atrous val --weights runs/train --data camvid --json >val.json",
    .run = run,
};
