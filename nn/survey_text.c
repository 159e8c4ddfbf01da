/* SPDX-License-Identifier: MIT */
/* A survey for people: a table, and a drawing for Graphviz. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/graph_private.h"
#include "nn/survey_private.h"

enum { CELL = 64 };

/* "1.63 G": three digits and a decimal multiple. */
static const char *short_number(char *cell, double v) {
    static const char units[] = " kMGTP";
    int u = 0;
    for (; v >= 999.5 && units[u + 1] != '\0'; u++) v /= 1000;
    snprintf(cell, CELL,
             u == 0      ? "%.0f"
             : v < 9.995 ? "%.2f %c"
             : v < 99.95 ? "%.1f %c"
                         : "%.0f %c",
             v, units[u]);
    return cell;
}

static const char *size_text(char *cell, at_shape s) {
    snprintf(cell, CELL, "%d x %d x %d", s.c, s.h, s.w);
    return cell;
}

static const char *pair_text(char *cell, double h, double w) {
    snprintf(cell, CELL, h == w ? "%g" : "%g x %g", h, w);
    return cell;
}

static const char *field_text(char *cell, const at_field *f) {
    if (f->global) {
        snprintf(cell, CELL, "all");
        return cell;
    }
    return pair_text(cell, ceil(at_span_size(f->h)), ceil(at_span_size(f->w)));
}

static int longest(const at_survey *s, const char *(*text)(const at_node *), int least) {
    size_t most = (size_t)least;
    for (int i = 0; i < s->count; i++) {
        size_t n = strlen(text(s->rows[i].node));
        if (n > most) most = n;
    }
    return (int)most;
}

static const char *name_of(const at_node *n) {
    return n->name;
}
static const char *op_of(const at_node *n) {
    return n->op->name;
}

static void row_line(FILE *f, const at_survey_row *row, int names, int ops) {
    char size[CELL], macs[CELL], field[CELL], jump[CELL], parameters[CELL] = "";
    if (row->parameters > 0) snprintf(parameters, CELL, "%lld", (long long)row->parameters);
    fprintf(f, "%-*s  %-*s  %18s  %11s  %7s  %9s  %6s\n", names, row->node->name, ops,
            row->node->op->name, size_text(size, row->shape), parameters,
            row->macs > 0 ? short_number(macs, row->macs) : "", field_text(field, &row->field),
            pair_text(jump, row->field.h.jump, row->field.w.jump));
}

static void memory_line(FILE *f, size_t train_bytes, size_t infer_bytes) {
    const double mib = 1024.0 * 1024.0;
    if (train_bytes == 0 && infer_bytes == 0) return;
    fprintf(f, "planned memory: training %.1f MiB, inference %.1f MiB\n", (double)train_bytes / mib,
            (double)infer_bytes / mib);
}

/* Closes a memory stream and hands its text over, NULL if anything failed. */
static char *finish(FILE *f, char **text) {
    int failed = ferror(f);
    if (fclose(f) == 0 && !failed) return *text;
    free(*text);
    return NULL;
}

char *at_survey_table(const at_survey *s, size_t train_bytes, size_t infer_bytes) {
    char *text = NULL, macs[CELL];
    size_t size = 0;
    at_gridding gridding;
    if (at_gridding_new(&gridding, s->graph, NULL) != AT_OK) return NULL;
    FILE *f = open_memstream(&text, &size);
    if (f == NULL) {
        at_gridding_free(&gridding);
        return NULL;
    }
    int names = longest(s, name_of, 5), ops = longest(s, op_of, 8);
    fprintf(f, "%-*s  %-*s  %18s  %11s  %7s  %9s  %6s\n", names, "node", ops, "operator", "output",
            "parameters", "MACs", "field", "jump");
    for (int i = 0; i < s->count; i++) row_line(f, &s->rows[i], names, ops);
    fprintf(f, "%-*s  %-*s  %18s  %11lld  %7s\n", names, "total", ops, "", "",
            (long long)s->parameters, short_number(macs, s->macs));
    memory_line(f, train_bytes, infer_bytes);
    at_gridding_text(f, &gridding);
    at_gridding_free(&gridding);
    return finish(f, &text);
}

/* A string in Graphviz's quotes, without them. */
static void escaped(FILE *f, const char *text) {
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') fputc('\\', f);
        fputc(*text, f);
    }
}

static void dot_node(FILE *f, const at_survey_row *row) {
    char size[CELL];
    fputs("  \"", f);
    escaped(f, row->node->name);
    fputs("\" [label=\"", f);
    escaped(f, row->node->name);
    fprintf(f, "\\n%s  %s\"%s];\n", row->node->op->name, size_text(size, row->shape),
            row->parameters > 0 ? ", fillcolor=\"#dbe9f6\"" : "");
}

/* Dashed: only the size is used. A second output is named. */
static void dot_edge(FILE *f, const at_node *n, int i) {
    const at_node *from = n->inputs[i];
    fputs("  \"", f);
    escaped(f, from->name);
    fputs("\" -> \"", f);
    escaped(f, n->name);
    fputs("\"", f);
    if (n->op->shape_only >> i & 1u) fputs(" [style=dashed, constraint=false]", f);
    if (n->ports[i] != 0) fprintf(f, " [label=\"%s\"]", from->op->output_names[n->ports[i]]);
    fputs(";\n", f);
}

char *at_survey_dot(const at_survey *s) {
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    if (f == NULL) return NULL;
    fputs("digraph network {\n"
          "  node [shape=box, style=\"rounded,filled\", fillcolor=\"#f6f6f6\", "
          "fontname=\"Helvetica\"];\n",
          f);
    for (int i = 0; i < s->count; i++) dot_node(f, &s->rows[i]);
    for (int i = 0; i < s->count; i++)
        for (int k = 0; k < s->rows[i].node->input_count; k++) dot_edge(f, s->rows[i].node, k);
    fputs("}\n", f);
    return finish(f, &text);
}
