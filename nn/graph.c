/* SPDX-License-Identifier: MIT */
/* Structure and parameters of a network. Nodes are kept in the order they were made, which is an
 * order in which they can run; parameters get their place in the flat buffer as they are added,
 * each on a cache line of its own, so that one pass of an optimiser covers them all. */
#include "nn/graph_private.h"
#include "nn/huge.h"
#include "nn/threads.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FLAT_ALIGN = 16 }; /* floats in a cache line */

at_graph *at_graph_new(void) {
    at_graph *g = calloc(1, sizeof *g);
    if (g != NULL) g->version = 1;
    return g;
}

static void node_free(at_node *n) {
    if (n == NULL) return;
    free(n->name);
    free(n->inputs);
    free(n->ports);
    free((void *)(uintptr_t)n->attrs);
    free(n);
}

void at_graph_free(at_graph *g) {
    if (g == NULL) return;
    for (int i = 0; i < g->node_count; i++) node_free(g->nodes[i]);
    for (int i = 0; i < g->param_count; i++) free(g->params[i].name);
    free(g->nodes);
    free(g->params);
    free(g->values);
    free(g->grads);
    free(g);
}

/* ---- errors ---- */

at_node *at_graph_fail(at_graph *g, const char *format, ...) {
    if (g->error.status != AT_OK) return NULL;
    va_list args;
    va_start(args, format);
    vsnprintf(g->error.text, sizeof g->error.text, format, args);
    va_end(args);
    g->error.status = AT_ERR_INPUT;
    return NULL;
}

static at_node *fail_memory(at_graph *g) {
    at_graph_fail(g, "out of memory while building the graph");
    g->error.status = AT_ERR_MEMORY;
    return NULL;
}

bool at_graph_failed(const at_graph *g) {
    return g->error.status != AT_OK;
}

at_status at_graph_status(const at_graph *g, at_error *err) {
    if (g->error.status != AT_OK && err != NULL) *err = g->error;
    return g->error.status;
}

/* ---- names ---- */

/* A push that fails still counts, so that pushes and pops stay in pairs. */
void at_graph_push(at_graph *g, const char *format, ...) {
    size_t used = strlen(g->prefix), room = sizeof g->prefix - used;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(g->prefix + used, room, format, args);
    va_end(args);
    if (n < 0 || (size_t)n + 2 > room || g->prefix_depth >= AT_PREFIX_DEPTH) {
        g->prefix[used] = '\0';
        at_graph_fail(g, "name prefix '%s...' is too long or too deep", g->prefix);
    } else {
        memcpy(g->prefix + used + n, ".", 2);
    }
    if (g->prefix_depth < AT_PREFIX_DEPTH) g->prefix_marks[g->prefix_depth] = used;
    g->prefix_depth++;
}

void at_graph_pop(at_graph *g) {
    assert(g->prefix_depth > 0);
    g->prefix_depth--;
    if (g->prefix_depth < AT_PREFIX_DEPTH) g->prefix[g->prefix_marks[g->prefix_depth]] = '\0';
}

static char *join(const char *a, const char *separator, const char *b) {
    size_t size = strlen(a) + strlen(separator) + strlen(b) + 1;
    char *s = malloc(size);
    if (s != NULL) snprintf(s, size, "%s%s%s", a, separator, b);
    return s;
}

/* ---- nodes ---- */

/* Room for one more item in a growing array. */
static bool grow(void **items, int count, int *capacity, size_t size) {
    if (count < *capacity) return true;
    int wanted = *capacity ? 2 * *capacity : 64;
    void *p = realloc(*items, (size_t)wanted * size);
    if (p == NULL) return false;
    *items = p;
    *capacity = wanted;
    return true;
}

static at_node *node_alloc(const at_op *op, const char *prefix, const char *name, int inputs,
                           const void *attrs, size_t attrs_size) {
    at_node *n = calloc(1, sizeof *n);
    if (n == NULL) return NULL;
    void *copy = malloc(attrs_size ? attrs_size : 1);
    n->attrs = copy;
    n->op = op;
    n->name = join(prefix, "", name != NULL ? name : op->name);
    n->inputs = calloc((size_t)inputs + 1, sizeof *n->inputs);
    n->ports = calloc((size_t)inputs + 1, 1);
    if (copy == NULL || n->name == NULL || n->inputs == NULL || n->ports == NULL) {
        node_free(n);
        return NULL;
    }
    if (attrs_size) memcpy(copy, attrs, attrs_size);
    return n;
}

static bool inputs_valid(at_graph *g, const at_op *op, at_node *const *inputs, int count) {
    for (int i = 0; i < count; i++) {
        if (inputs[i] == NULL) {
            at_graph_fail(g, "%s: input %d is missing", op->name, i);
            return false;
        }
        if (inputs[i]->graph != g) {
            at_graph_fail(g, "%s: input '%s' belongs to another graph", op->name, inputs[i]->name);
            return false;
        }
    }
    return true;
}

at_node *at_node_new(at_graph *g, const at_op *op, const char *name, at_node *const *inputs,
                     int input_count, int channels, const void *attrs, size_t attrs_size) {
    if (at_graph_failed(g) || !inputs_valid(g, op, inputs, input_count)) return NULL;
    at_node *n = node_alloc(op, g->prefix, name, input_count, attrs, attrs_size);
    if (n == NULL) return fail_memory(g);
    if (at_graph_find(g, n->name) != NULL || channels < 1) {
        at_graph_fail(g,
                      channels < 1 ? "%s: needs at least 1 channel" : "two nodes are called '%s'",
                      n->name);
        node_free(n);
        return NULL;
    }
    if (!grow((void **)&g->nodes, g->node_count, &g->node_capacity, sizeof *g->nodes)) {
        node_free(n);
        return fail_memory(g);
    }
    n->graph = g;
    n->channels = channels;
    n->input_count = input_count;
    for (int i = 0; i < input_count; i++) n->inputs[i] = inputs[i];
    n->id = g->node_count;
    g->nodes[g->node_count++] = n;
    return n;
}

void at_node_set_port(at_node *node, int input, int port) {
    if (node == NULL) return;
    assert(input < node->input_count && port < AT_MAX_OUTPUTS);
    node->ports[input] = (uint8_t)port;
}

static void describe_nothing(const at_node *node, const at_shape *in, at_shape out, json_t *attrs) {
    (void)node, (void)in, (void)out, (void)attrs;
}

static const at_op op_input = {.name = "input", .describe = describe_nothing};
static const at_op op_target = {.name = "target", .describe = describe_nothing};

at_node *at_input(at_graph *g, const char *name, int channels) {
    return at_node_new(g, &op_input, name, NULL, 0, channels, NULL, 0);
}

at_node *at_target(at_graph *g, const char *name) {
    at_node *n = at_node_new(g, &op_target, name, NULL, 0, 1, NULL, 0);
    if (n != NULL) n->dtype = AT_U8;
    return n;
}

void at_graph_set_output(at_graph *g, at_node *output) {
    if (output != NULL) g->output = output;
}

at_node *at_graph_output(const at_graph *g) {
    if (g->output != NULL) return g->output;
    return g->node_count ? g->nodes[g->node_count - 1] : NULL;
}

int at_graph_node_count(const at_graph *g) {
    return g->node_count;
}
at_node *at_graph_node(const at_graph *g, int id) {
    return g->nodes[id];
}

at_node *at_graph_find(const at_graph *g, const char *name) {
    for (int i = 0; i < g->node_count; i++)
        if (strcmp(g->nodes[i]->name, name) == 0) return g->nodes[i];
    return NULL;
}

/* ---- parameters ---- */

static int64_t dims_product(const at_param_spec *s) {
    int64_t count = 1;
    for (int i = 0; i < s->rank; i++) {
        if (s->dims[i] < 1 || count > (INT64_C(1) << 40) / s->dims[i]) return 0;
        count *= s->dims[i];
    }
    return count;
}

void at_node_add_param(at_node *node, at_param_spec spec) {
    if (node == NULL || at_graph_failed(node->graph)) return;
    at_graph *g = node->graph;
    assert(node->param_count < AT_MAX_PARAMS);
    int64_t count = dims_product(&spec);
    if (count == 0) {
        at_graph_fail(g, "%s: a parameter of %d x %d x %d x %d numbers is out of range", node->name,
                      spec.dims[0], spec.dims[1], spec.dims[2], spec.dims[3]);
        return;
    }
    char *name = join(node->name, ".", node->op->param_names[node->param_count]);
    if (name == NULL ||
        !grow((void **)&g->params, g->param_count, &g->param_capacity, sizeof *g->params)) {
        free(name);
        fail_memory(g);
        return;
    }
    g->params[g->param_count] =
        (at_param){.name = name, .spec = spec, .count = count, .offset = g->flat_count};
    g->flat_count += (count + FLAT_ALIGN - 1) / FLAT_ALIGN * FLAT_ALIGN;
    node->params[node->param_count++] = g->param_count++;
}

static float *flat_alloc(int64_t count) {
    size_t bytes = (size_t)(count ? count : FLAT_ALIGN) * sizeof(float);
    float *p = aligned_alloc(64, bytes);
    if (p == NULL) return NULL;
    at_huge_zero(p, bytes);
    return p;
}

at_status at_graph_finish(at_graph *g, at_error *err) {
    AT_TRY(at_graph_status(g, err));
    if (g->node_count == 0) return at_fail(err, AT_ERR_INPUT, "the graph has no nodes");
    if (g->values != NULL) return AT_OK;
    g->values = flat_alloc(g->flat_count);
    return g->values ? AT_OK
                     : at_fail_memory(err, "parameters", (size_t)g->flat_count * sizeof(float));
}

at_status at_graph_need_grads(at_graph *g, at_error *err) {
    if (g->grads == NULL) g->grads = flat_alloc(g->flat_count);
    return g->grads ? AT_OK
                    : at_fail_memory(err, "gradients", (size_t)g->flat_count * sizeof(float));
}

static int64_t largest_param(const at_graph *g) {
    int64_t most = 1;
    for (int i = 0; i < g->param_count; i++)
        if (g->params[i].count > most) most = g->params[i].count;
    return most;
}

at_status at_graph_init(at_graph *g, uint64_t seed, at_error *err) {
    assert(g->values != NULL);
    size_t bytes = (size_t)largest_param(g) * sizeof(float);
    float *buffer = malloc(bytes); /* one parameter in PyTorch's order */
    if (buffer == NULL) return at_fail_memory(err, "initial weights", bytes);
    for (int i = 0; i < g->param_count; i++) {
        at_init_fill(&g->params[i], seed, buffer);
        at_param_import(&g->params[i], buffer, g->values);
    }
    free(buffer);
    at_graph_touch(g);
    return AT_OK;
}

int at_graph_param_count(const at_graph *g) {
    return g->param_count;
}
const at_param *at_graph_param(const at_graph *g, int index) {
    return &g->params[index];
}

const at_param *at_graph_find_param(const at_graph *g, const char *name) {
    for (int i = 0; i < g->param_count; i++)
        if (strcmp(g->params[i].name, name) == 0) return &g->params[i];
    return NULL;
}

int64_t at_graph_trainable_count(const at_graph *g) {
    int64_t n = 0;
    for (int i = 0; i < g->param_count; i++)
        if (!g->params[i].spec.buffer && !g->params[i].spec.frozen) n += g->params[i].count;
    return n;
}

float *at_graph_values(const at_graph *g) {
    return g->values;
}
float *at_graph_grads(const at_graph *g) {
    return g->grads;
}
int64_t at_graph_flat_count(const at_graph *g) {
    return g->flat_count;
}
void at_graph_touch(at_graph *g) {
    g->version++;
}

float *at_node_param(const at_node *node, int i) {
    assert(i < node->param_count && node->graph->values != NULL);
    return node->graph->values + node->graph->params[node->params[i]].offset;
}

/* ---- layouts ---- */

/* Where element (a, b, y, x) of dims d lies in AT_LAYOUT_CONV. */
static int64_t conv_place(const int *d, int a, int b, int y, int x) {
    return (((int64_t)y * d[3] + x) * d[1] + b) * d[0] + a;
}

enum { LINE = 16 }; /* output channels: they lie together here and far apart in PyTorch's order */

typedef struct copying {
    const int *dims;
    const float *from;
    float *to;
    bool export;
} copying;

static void copy_line(void *arg, int64_t index, int worker) {
    const copying *c = arg;
    const int *d = c->dims, a = (int)index * LINE, n = d[0] - a < LINE ? d[0] - a : LINE;
    const int64_t taps = (int64_t)d[2] * d[3], filter = d[1] * taps;
    (void)worker;
    for (int64_t i = 0; i < filter; i++) {
        const int y = (int)(i % taps / d[3]), x = (int)(i % d[3]), b = (int)(i / taps);
        const int64_t place = conv_place(d, a, b, y, x), out = a * filter + i;
        for (int k = 0; k < n && c->export; k++) c->to[out + k * filter] = c->from[place + k];
        for (int k = 0; k < n && !c->export; k++) c->to[place + k] = c->from[out + k * filter];
    }
}

static void param_copy(const at_param *p, const float *from, float *to, bool export) {
    copying c = {p->spec.dims, from, to, export};
    at_parallel_for((p->spec.dims[0] + LINE - 1) / LINE, copy_line, &c);
}

void at_param_export(const at_param *p, const float *flat, float *out) {
    const float *at = flat + p->offset;
    if (p->spec.layout == AT_LAYOUT_CONV)
        param_copy(p, at, out, true);
    else
        memcpy(out, at, (size_t)p->count * sizeof *out);
}

void at_param_import(const at_param *p, const float *in, float *flat) {
    float *at = flat + p->offset;
    if (p->spec.layout == AT_LAYOUT_CONV)
        param_copy(p, in, at, false);
    else
        memcpy(at, in, (size_t)p->count * sizeof *in);
}
