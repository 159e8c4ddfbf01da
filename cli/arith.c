/* SPDX-License-Identifier: MIT */
/* atrous arith conv|deconv|pool: sizes of one layer, why, and what it is equivalent to. All that is
 * computed comes from nn/size.h and nn/arith.h. */
#include <stdlib.h>

#include "cli/cli.h"

enum { LARGEST_MATRIX = 64 }; /* columns and rows */

typedef enum kind { CONV, DECONV, POOL } kind;

typedef struct layer {
    kind kind;
    const cli_opts *o;
    at_window h, w; /* per axis */
    at_pair in, out;
} layer;

static at_status size_of(const layer *l, int in, at_window w, int extra, int *out, at_error *err) {
    if (l->kind == CONV) return at_conv_size(in, w, out, err);
    if (l->kind == POOL) return at_pool_size(in, w, l->o->ceil_mode, out, err);
    return at_conv_transpose_size(in, w, extra, out, err);
}

static at_status understand(layer *l, kind k, const cli_opts *o, at_error *err) {
    *l = (layer){.kind = k, .o = o, .in = o->in};
    const at_pair stride = o->stride;
    l->h = (at_window){o->kernel.h, stride.h, o->padding.h, o->dilation.h};
    l->w = (at_window){o->kernel.w, stride.w, o->padding.w, o->dilation.w};
    AT_TRY(size_of(l, l->in.h, l->h, o->output_padding.h, &l->out.h, err));
    return size_of(l, l->in.w, l->w, o->output_padding.w, &l->out.w, err);
}

static int relation_of(const layer *l, at_window w, int extra) {
    return l->kind == CONV   ? at_conv_relation(w)
           : l->kind == POOL ? at_pool_relation(w)
                             : at_conv_transpose_relation(w, extra);
}

/* ---- for people ---- */

static void print_relation(const layer *l, const char *axis, at_window w, int extra) {
    const int r = relation_of(l, w, extra);
    if (r)
        printf("%s relation %d: %s\n", axis, r, at_relation_text(r));
    else
        printf("%s %s (relation 14 with dilation)\n", axis, at_relation_text(r));
}

/* Going back from a convolution's output to its input. */
static void print_way_back(const char *axis, int in, at_window w) {
    const int a = at_conv_remainder(in, w);
    printf("%s back to %d by deconv with the same numbers and output padding %d", axis, in, a);
    if (w.stride > 1)
        printf(" (inputs %d to %d all give this output)", in - a, in - a + w.stride - 1);
    putchar('\n');
}

static void print_equivalent(const char *axis, at_window w, int extra) {
    const at_equivalent e = at_conv_transpose_equivalent(w, extra);
    printf(
        "%s as a convolution of stride 1, kernel %d turned by 180 degrees, dilation %d: %d zeros "
        "between rows, padding %d before and %d behind%s\n",
        axis, e.kernel, e.dilation, e.zeros, e.before, e.after,
        e.before < 0 || e.after < 0 ? " (negative: cut off)" : "");
}

static void print_layer(const layer *l) {
    static const char *const names[] = {"convolution", "transposed convolution", "pooling"};
    const cli_opts *o = l->o;
    printf("%s  kernel %dx%d  stride %dx%d  padding %dx%d  dilation %dx%d", names[l->kind],
           l->h.kernel, l->w.kernel, l->h.stride, l->w.stride, l->h.padding, l->w.padding,
           l->h.dilation, l->w.dilation);
    if (l->kind == DECONV)
        printf("  output padding %dx%d", o->output_padding.h, o->output_padding.w);
    if (l->kind == POOL && o->ceil_mode) printf("  ceil mode");
    printf("\ninput %dx%d -> output %dx%d\n", l->in.h, l->in.w, l->out.h, l->out.w);
    print_relation(l, "height:", l->h, o->output_padding.h);
    print_relation(l, "width: ", l->w, o->output_padding.w);
    if (l->kind == CONV) {
        print_way_back("height:", l->in.h, l->h);
        print_way_back("width: ", l->in.w, l->w);
    } else if (l->kind == DECONV) {
        print_equivalent("height:", l->h, o->output_padding.h);
        print_equivalent("width: ", l->w, o->output_padding.w);
    }
}

/* ---- the matrix ---- */

/* Sizes on the convolution's side: C has one row an output and one column an input pixel. */
static at_pair rows_of(const layer *l) {
    return l->kind == DECONV ? l->in : l->out;
}
static at_pair columns_of(const layer *l) {
    return l->kind == DECONV ? l->out : l->in;
}

/* "w12": the kernel's row 1, column 2; "" where there is no tap. */
static const char *entry(char text[16], const layer *l, int row, int column) {
    const at_pair r = rows_of(l), c = columns_of(l);
    const int y = at_conv_tap(row / r.w, column / c.w, l->h);
    const int x = at_conv_tap(row % r.w, column % c.w, l->w);
    if (y < 0 || x < 0)
        text[0] = 0;
    else
        snprintf(text, 16, l->h.kernel > 10 || l->w.kernel > 10 ? "w%d,%d" : "w%d%d", y, x);
    return text;
}

static void print_matrix(const layer *l, bool transposed) {
    const at_pair r = rows_of(l), c = columns_of(l);
    const int rows = r.h * r.w, columns = c.h * c.w;
    char text[16];
    printf("\n%s: %d x %d\n", transposed ? "C transposed" : "C", transposed ? columns : rows,
           transposed ? rows : columns);
    for (int i = 0; i < (transposed ? columns : rows); i++) {
        for (int j = 0; j < (transposed ? rows : columns); j++) {
            const char *e = transposed ? entry(text, l, j, i) : entry(text, l, i, j);
            printf("%s%-3s", j ? " " : "", *e ? e : ".");
        }
        putchar('\n');
    }
}

static at_status check_matrix(const layer *l, at_error *err) {
    const at_pair r = rows_of(l), c = columns_of(l);
    const long long rows = (long long)r.h * r.w, columns = (long long)c.h * c.w;
    if (rows <= LARGEST_MATRIX && columns <= LARGEST_MATRIX) return AT_OK;
    return at_fail(
        err, AT_ERR_USAGE,
        "--matrix: C would be %lld x %lld; at most %d x %d are written out: try --in 1x8 "
        "--kernel 1x3",
        rows, columns, LARGEST_MATRIX, LARGEST_MATRIX);
}

/* ---- for scripts ---- */

static json_t *equivalent_json(const layer *l) {
    const at_equivalent h = at_conv_transpose_equivalent(l->h, l->o->output_padding.h);
    const at_equivalent w = at_conv_transpose_equivalent(l->w, l->o->output_padding.w);
    return json_pack("{s[ii]s[ii]s[ii]s[ii]}", "zeros_between", h.zeros, w.zeros, "padding_before",
                     h.before, w.before, "padding_after", h.after, w.after, "dilation", h.dilation,
                     w.dilation);
}

static json_t *matrix_json(const layer *l) {
    const at_pair r = rows_of(l), c = columns_of(l);
    json_t *rows = json_array();
    char text[16];
    for (int i = 0; rows && i < r.h * r.w; i++) {
        json_t *row = json_array();
        for (int j = 0; row && j < c.h * c.w; j++)
            json_array_append_new(row, json_string(entry(text, l, i, j)));
        json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *to_json(const layer *l) {
    static const char *const ops[] = {"conv2d", "conv_transpose2d", "pool2d"};
    const at_pair extra = l->o->output_padding;
    json_t *j = json_pack("{ss s[ii] s[ii] s[ii] s[ii] s[ii] s[ii] s[ii]}", "op", ops[l->kind],
                          "input", l->in.h, l->in.w, "output", l->out.h, l->out.w, "kernel",
                          l->h.kernel, l->w.kernel, "stride", l->h.stride, l->w.stride, "padding",
                          l->h.padding, l->w.padding, "dilation", l->h.dilation, l->w.dilation,
                          "relation", relation_of(l, l->h, extra.h), relation_of(l, l->w, extra.w));
    if (!j) return NULL;
    if (l->kind == CONV)
        json_object_set_new(
            j, "output_padding_back",
            json_pack("[ii]", at_conv_remainder(l->in.h, l->h), at_conv_remainder(l->in.w, l->w)));
    if (l->kind == DECONV) {
        json_object_set_new(j, "output_padding", json_pack("[ii]", extra.h, extra.w));
        json_object_set_new(j, "equivalent", equivalent_json(l));
    }
    if (l->o->matrix) json_object_set_new(j, "C", matrix_json(l));
    return j;
}

static at_status run(kind k, cli_args *args, at_error *err) {
    layer l;
    AT_TRY(understand(&l, k, &args->opts, err));
    if (args->opts.matrix) AT_TRY(check_matrix(&l, err));
    if (args->opts.json) return cli_print_json(to_json(&l), err);
    print_layer(&l);
    if (!args->opts.matrix) return AT_OK;
    print_matrix(&l, false);
    print_matrix(&l, true);
    if (k == DECONV) printf("\noutput = C transposed x input\n");
    return AT_OK;
}

static at_status run_conv(cli_args *args, at_error *err) {
    return run(CONV, args, err);
}
static at_status run_deconv(cli_args *args, at_error *err) {
    return run(DECONV, args, err);
}
static at_status run_pool(cli_args *args, at_error *err) {
    return run(POOL, args, err);
}

const cli_command cli_arith_conv = {
    .name = "arith conv",
    .arguments = "",
    .summary = "Sizes of a convolution, the relation behind them, the way back, the matrix C.",
    .details =
        "Relations are numbered as by Dumoulin & Visin, \"A guide to convolution arithmetic for "
        "deep learning\". The input and the kernel are flattened row by row for the matrix.",
    .options = "in kernel stride padding dilation matrix json",
    .examples = "atrous arith conv --in 6 --kernel 3 --stride 2 --padding 1\n"
                "atrous arith conv --in 1x5 --kernel 1x3 --matrix",
    .run = run_conv,
};

const cli_command cli_arith_deconv = {
    .name = "arith deconv",
    .arguments = "",
    .summary = "Sizes of a transposed convolution, and the direct one that computes the same.",
    .details = "C is the matrix of the convolution whose data gradient this is: the transposed "
               "convolution multiplies by C transposed.",
    .options = "in kernel stride padding dilation output-padding matrix json",
    .examples = "atrous arith deconv --in 3 --kernel 3 --stride 2 --padding 1 --output-padding 1\n"
                "atrous arith deconv --in 1x3 --kernel 1x4 --stride 2 --padding 1 --matrix",
    .run = run_deconv,
};

const cli_command cli_arith_pool = {
    .name = "arith pool",
    .arguments = "",
    .summary = "Sizes of a pooling, rounded down or up.",
    .options = "in kernel stride padding dilation ceil-mode json",
    .defaults = (const cli_default[]){{"kernel", "2"}, {"stride", "2"}, {NULL, NULL}},
    .examples = "atrous arith pool --in 45x60 --kernel 2 --stride 2 --ceil-mode",
    .run = run_pool,
};
