/* SPDX-License-Identifier: MIT */
/* What was it? The node comes from a slow forward that looks at every value. Weights that are sound
 * and an image that is not end differently from weights that have run away, and so does the advice.
 */
#include <math.h>
#include <string.h>

#include "train/trainer.h"

static const char *file_of(const at_trainer *t, int sample) {
    const at_sample *s = &t->train->samples[sample];
    return s->image ? s->image : s->name;
}

static void list_files(const at_trainer *t, const at_batch *b, char *text, size_t size) {
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < b->count && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "",
                                 file_of(t, b->samples[i]));
}

static const char remedy[] =
    "lower --lr, clip with --clip 1 or lengthen --warmup; the last good weights are in";

at_status at_explain_loss(at_trainer *t, const at_batch *b, at_error *err) {
    at_error why = {0};
    char files[400];
    int image = -1;
    const at_tensor input = at_plan_value(t->plan, t->image);
    memcpy(input.data, b->images, (size_t)at_shape_count(input.shape) * sizeof(float));
    const at_tensor labels = at_plan_value(t->plan, t->target);
    memcpy(labels.data, b->masks, (size_t)at_shape_pixels(labels.shape));
    const at_status s = at_plan_check_finite(t->plan, &image, &why);
    if (image >= 0 && image < b->count)
        snprintf(files, sizeof files, "%s", file_of(t, b->samples[image]));
    else
        list_files(t, b, files, sizeof files);
    return at_fail(err, AT_ERR_INPUT,
                   "epoch %d, batch %d: the loss is not finite: %.300s (%s). %s %s/weights",
                   t->at.epoch + 1, t->at.batch + 1, s == AT_OK ? "the loss itself" : why.text,
                   files, remedy, t->run);
}

at_status at_explain_gradient(const at_trainer *t, const at_batch *b, at_error *err) {
    const at_graph *g = t->net.graph;
    const char *name = "?";
    char files[400];
    for (int i = at_graph_param_count(g) - 1; i >= 0 && strcmp(name, "?") == 0; i--) {
        const at_param *p = at_graph_param(g, i);
        for (int64_t k = 0; k < p->count && !p->spec.buffer; k++)
            if (!isfinite(at_graph_grads(g)[p->offset + k])) {
                name = p->name;
                break;
            }
    }
    list_files(t, b, files, sizeof files);
    return at_fail(err, AT_ERR_INPUT,
                   "epoch %d, batch %d: the gradient of %s is not finite (%s). %s %s/weights",
                   t->at.epoch + 1, t->at.batch, name, files, remedy, t->run);
}
