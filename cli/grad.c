/* SPDX-License-Identifier: MIT */
/* atrous grad: one forward and backward on one picture, every number written down, so that another
 * engine can be held against it. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

/* ---- the network ---- */

static at_status fresh_network(const cli_opts *o, at_network *net, at_error *err) {
    const at_model *m = at_model_find(o->train.model);
    at_classes classes;
    if (!m) return cli_unknown_model(o->train.model, err);
    AT_TRY(cli_need_classes(o, err));
    AT_TRY(cli_plain_classes(o->train.classes, &classes, err));
    const at_status s = at_network_new(net, m, o->train.net, &classes, o->train.seed, err);
    at_classes_free(&classes);
    net->resize = o->train.resize;
    return s;
}

static at_status find_network(const cli_args *args, at_network *net, at_error *err) {
    const cli_opts *o = &args->opts;
    if (!o->weights == !cli_given(args, "model"))
        return at_fail(err, AT_ERR_USAGE,
                       "give either --weights FILE or --model NAME with --classes K");
    if (!o->weights) return fresh_network(o, net, err);
    AT_TRY(cli_no_model_options(args, err));
    AT_TRY(cli_load_network(o, net, err));
    if (cli_given(args, "resize")) net->resize = o->train.resize;
    return AT_OK;
}

/* ---- the mask ---- */

static bool is_ignored(const cli_opts *o, const at_network *net, int id) {
    const bool given = o->train.ignore_count != 0;
    const int *list = given ? o->train.ignore : net->ignore;
    const int count = given ? o->train.ignore_count : net->ignore_count;
    for (int i = 0; i < count; i++)
        if (list[i] == id) return true;
    return id == AT_IGNORE && !given;
}

/* Samples as they stand in the file, which are ids where nobody says how they are coded. */
static at_status raster_ids(const cli_opts *o, const at_network *net, const at_raster *r,
                            uint8_t *ids, at_error *err) {
    if (r->channels != 1)
        return at_fail(err, AT_ERR_INPUT,
                       "%s: a mask in colours; --data DIR names the data set whose "
                       "classes.txt says what they mean",
                       o->mask);
    for (int i = 0; i < r->width * r->height; i++) {
        const int id =
            r->depth == 16 ? ((const uint16_t *)r->data)[i] : ((const uint8_t *)r->data)[i];
        const bool ignored = is_ignored(o, net, id);
        if (!ignored && id >= net->opts.classes)
            return at_fail(
                err, AT_ERR_INPUT,
                "%s: x %d, y %d has label %d, but the network has classes 0 to %d: name the id "
                "in --ignore, or the data set that remaps it in --data",
                o->mask, i % r->width, i / r->width, id, net->opts.classes - 1);
        ids[i] = ignored ? AT_IGNORE : (uint8_t)id;
    }
    return AT_OK;
}

static at_status load_raw(const cli_opts *o, const at_network *net, uint8_t **ids, at_pair *size,
                          at_error *err) {
    char *bytes;
    size_t count;
    at_raster r;
    AT_TRY(at_file_read(o->mask, 0, &bytes, &count, err));
    at_status s = at_raster_decode(bytes, count, o->mask, &r, err);
    free(bytes);
    if (s != AT_OK) return s;
    *size = (at_pair){r.height, r.width};
    *ids = malloc((size_t)r.width * (size_t)r.height);
    s = *ids ? raster_ids(o, net, &r, *ids, err) : at_fail_memory(err, "the mask", 0);
    at_raster_free(&r);
    if (s != AT_OK) {
        free(*ids);
        *ids = NULL;
    }
    return s;
}

static at_status load_mask(const cli_opts *o, const at_network *net, const at_dataset *d,
                           const at_image *image, uint8_t **ids, at_error *err) {
    at_pair size;
    if (d)
        AT_TRY(at_dataset_load_mask(d, o->mask, ids, &size, err));
    else
        AT_TRY(load_raw(o, net, ids, &size, err));
    if (size.h == image->height && size.w == image->width) return AT_OK;
    free(*ids);
    *ids = NULL;
    return at_fail(err, AT_ERR_INPUT,
                   "%s is %dx%d, but %s is %dx%d: a mask must have its picture's size", o->mask,
                   size.h, size.w, o->image, image->height, image->width);
}

/* ---- resizing, as the network wants it ---- */

static at_status resize(at_pair size, at_image *image, uint8_t **ids, at_error *err) {
    if (!size.h || (size.h == image->height && size.w == image->width)) return AT_OK;
    at_image resized;
    AT_TRY(at_image_resize(image, size.w, size.h, &resized, err));
    at_status s = AT_OK;
    if (*ids) {
        uint8_t *fewer = malloc((size_t)size.h * (size_t)size.w);
        s = fewer ? at_mask_resize(*ids, image->width, image->height, fewer, size.w, size.h)
                  : at_fail_memory(err, "the mask", 0);
        free(*ids);
        *ids = fewer;
    }
    at_image_free(image);
    *image = resized;
    return s;
}

/* ---- the work ---- */

static at_status write_out(const cli_opts *o, at_network *net, const at_image *image,
                           const uint8_t *ids, at_error *err) {
    double loss = 0;
    const bool train = strcmp(o->mode, "train") == 0;
    if (o->save_weights) AT_TRY(at_network_save(net, o->save_weights, err));
    AT_TRY(at_gradients_save(net, image, ids,
                             (at_gradients_opts){.mode = train ? AT_TRAIN : AT_INFER,
                                                 .dropout = o->dropout,
                                                 .seed = o->train.seed,
                                                 .precision = o->train.precision,
                                                 .conv = o->train.conv,
                                                 .max_bytes = (size_t)(o->train.max_mem_mb * 1e6)},
                             o->output, &loss, err));
    if (train) printf("loss %.9g\n", loss);
    return AT_OK;
}

static at_status with_image(const cli_args *args, at_network *net, const at_dataset *d,
                            at_error *err) {
    const cli_opts *o = &args->opts;
    at_image image;
    uint8_t *ids = NULL;
    AT_TRY(cli_loss(args, d, net->opts.classes, &net->loss, err));
    AT_TRY(at_image_load(o->image, net->opts.in_channels, &image, err));
    at_status s = o->mask ? load_mask(o, net, d, &image, &ids, err) : AT_OK;
    if (s == AT_OK) s = resize(net->resize, &image, &ids, err);
    if (s == AT_OK) s = write_out(o, net, &image, ids, err);
    free(ids);
    at_image_free(&image);
    return s;
}

static at_status check(const cli_opts *o, at_error *err) {
    if (!o->image) return at_fail(err, AT_ERR_USAGE, "--image is missing: the picture to feed");
    if (!o->output)
        return at_fail(err, AT_ERR_USAGE, "-o is missing: the safetensors file to write");
    if (!o->mask == !strcmp(o->mode, "train"))
        return at_fail(err, AT_ERR_USAGE,
                       o->mask ? "--mask: inference has no use for a mask"
                               : "--mask is missing: the loss needs the truth");
    return AT_OK;
}

static at_status run(cli_args *args, at_error *err) {
    const cli_opts *o = &args->opts;
    at_network net = {0};
    at_dataset *d = NULL;
    AT_TRY(check(o, err));
    AT_TRY(cli_start_threads(o, err));
    at_status s = find_network(args, &net, err);
    if (s == AT_OK && o->train.data) s = cli_open_data(o, &d, err);
    if (s == AT_OK) s = with_image(args, &net, d, err);
    at_dataset_free(d);
    at_network_free(&net);
    return s;
}

const cli_command cli_grad = {
    .name = "grad",
    .arguments = "",
    .summary =
        "One forward and backward on one picture: loss, logits and every gradient, as a file.",
    .details =
        "Training mode, batch 1, no augmentation, dropout off. The file (safetensors) holds loss, "
        "logits, image as fed, and each parameter's gradient under its name. With --model a "
        "freshly "
        "initialised network is used; --save-weights keeps it, so that another engine can be given "
        "the same. Convolutions are direct unless --conv says otherwise: Winograd's rounding, "
        "still "
        "well within 1e-4, is more likely to tip a ReLU or a pooling that stands on a tie.",
    .options = "weights model classes channels width depth fc upsample skip decoder match norm "
               "output-stride rates lrn resize image mask data ignore save-weights mode dropout "
               "loss class-weights label-smoothing gamma "
               "seed threads precision conv max-mem output",
    .defaults = (const cli_default[]){{"width", "1"}, {"conv", "direct"}, {NULL, NULL}},
    .examples =
        "atrous grad --weights runs/train --image a.png --mask a_mask.png -o grads.safetensors\n"
        "atrous grad --model unet --classes 11 --seed 1 --save-weights w.safetensors \\\n"
        "            --image a.png --mask a_mask.png --ignore 11 -o grads.safetensors",
    .run = run,
};
