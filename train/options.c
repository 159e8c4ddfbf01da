/* SPDX-License-Identifier: MIT */
/* The table of a training run's options, their defaults, and config.json. */
#include "train/options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/json_list.h"
#include "train/option_text.h"

static const char *in_list(const char *const *names, int count, int i) {
    return i >= 0 && i < count ? names[i] : NULL;
}

static const char *optimiser(int i) {
    return in_list(at_optim_names, AT_OPTIM_COUNT, i);
}
static const char *schedule(int i) {
    return in_list(at_schedule_names, AT_SCHEDULE_COUNT, i);
}
static const char *loss(int i) {
    return in_list(at_loss_names, AT_LOSS_COUNT, i);
}
static const char *norm(int i) {
    return in_list((const char *const[]){"batch", "group", "none"}, 3, i);
}
static const char *precision(int i) {
    return i <= AT_PRECISION_AUTO ? at_precision_name((at_precision)i) : NULL;
}
static const char *conv(int i) {
    return in_list((const char *const[]){"auto", "direct", "winograd", "tune"}, 4, i);
}
static const char *upsample(int i) {
    return i == AT_UP_DEFAULT ? "default"
           : i < AT_UP_COUNT  ? at_upsample_name((at_upsample)i)
                              : NULL;
}

static const char *skip(int i) {
    return i == AT_SKIP_DEFAULT ? "default" : at_skip_name((at_skip)i);
}
static const char *decoder(int i) {
    return i == AT_DECODER_DEFAULT ? "default" : at_decoder_name((at_decoder)i);
}
static const char *match(int i) {
    return at_match_name((at_match)i);
}

#define AT(member) offsetof(at_train_opts, member)
#define BIG 1e9

/* clang-format off */
const at_train_option at_train_options[] = {
    {"data", "DIR", "data", "data set; absent: the synthetic set", AT_OPT_STRING, AT(data), 0, 0, NULL},
    {"classes", "K", "data", "number of classes, where the data do not say", AT_OPT_COUNT, AT(classes), 2, 255, NULL},
    {"ignore", "IDS", "data", "ids that count nowhere, or none; default: what the layout states", AT_OPT_IGNORE, AT(ignore), 0, 65535, NULL},
    {"channels", "1|3|4", "data", "channels of the pictures as the network sees them", AT_OPT_COUNT, AT(net.in_channels), 1, 4, NULL},
    {"val-share", "X", "data", "share held out where there is no val split", AT_OPT_REAL, AT(val_share), 0, 0.9, NULL},
    {"resize", "HxW", "data", "resize every picture and mask to this first; predictions are brought back", AT_OPT_PAIR, AT(resize), 8, 65535, NULL},
    {"size", "HxW", "data", "the random crop that is fed; default: from the pictures' sizes", AT_OPT_PAIR, AT(size), 8, 65535, NULL},
    {"cache", "MB", "data", "decoded pictures kept in memory; default: a quarter of what is free", AT_OPT_AMOUNT, AT(cache_mb), 0, BIG, NULL},

    {"scale", "A,B", "augmentation", "random scale", AT_OPT_RANGE, AT(augment.scale_min), 0.05, 20, NULL},
    {"hflip", "P", "augmentation", "probability of mirroring left and right", AT_OPT_REAL, AT(augment.hflip), 0, 1, NULL},
    {"vflip", "P", "augmentation", "probability of mirroring top and bottom", AT_OPT_REAL, AT(augment.vflip), 0, 1, NULL},
    {"rotate", "DEGREES", "augmentation", "random rotation, uniform in both directions", AT_OPT_REAL, AT(augment.rotate), 0, 180, NULL},
    {"brightness", "X", "augmentation", "colour jitter", AT_OPT_REAL, AT(augment.brightness), 0, 1, NULL},
    {"contrast", "X", "augmentation", "colour jitter", AT_OPT_REAL, AT(augment.contrast), 0, 1, NULL},
    {"saturation", "X", "augmentation", "colour jitter", AT_OPT_REAL, AT(augment.saturation), 0, 1, NULL},
    {"hue", "X", "augmentation", "colour jitter", AT_OPT_REAL, AT(augment.hue), 0, 0.5, NULL},

    {"model", "NAME", "network", "architecture", AT_OPT_STRING, AT(model), 0, 0, NULL},
    {"width", "X", "network", "multiplies the paper's channel counts", AT_OPT_AMOUNT, AT(net.width), 0.01, 16, NULL},
    {"depth", "N", "network", "depth of the backbone; what it counts is the architecture's business", AT_OPT_COUNT, AT(net.depth), 1, 200, NULL},
    {"fc", "N", "network", "fcn32s, fcn16s, fcn8s: width of fc6 and fc7", AT_OPT_COUNT, AT(net.fc), 1, 65536, NULL},
    {"upsample", "nearest|bilinear|bicubic|transposed|unpool|pixelshuffle|bilinear-corners|transposed2|transposed3|transposed4|transposed-bilinear|transposed-frozen|unpool-corner|replicate|pixelshuffle-random|duc|additive", "network", "how the decoder upsamples (docs/upsampling.md)", AT_OPT_CHOICE, AT(net.upsample), 0, 0, upsample},
    {"skip", "none|add", "network", "segnet-basic, fcn-basic: what the decoder adds of the encoder's maps", AT_OPT_CHOICE, AT(net.skip), 0, 0, skip},
    {"decoder", "full|single|reduced", "network", "segnet-basic, fcn-basic: the decoder has as many maps as the encoder; as many, each filtered by itself; one a class", AT_OPT_CHOICE, AT(net.decoder), 0, 0, decoder},
    {"match", "none|params|macs", "network", "make the decoder (segnet-basic, unet; deeplabv3: the pyramid) wider or narrower until the network has the parameters, or MACs, that it has with its default upsampling; info tells how near it came (match_error), 0.05 at worst", AT_OPT_CHOICE, AT(net.match), 0, 0, match},
    {"norm", "batch|group|none", "network", "normalisation", AT_OPT_CHOICE, AT(net.norm), 0, 0, norm},
    {"output-stride", "8|16", "network", "deeplabv3, hdc: how far the backbone shrinks the picture", AT_OPT_COUNT, AT(net.output_stride), 1, 64, NULL},
    {"rates", "A,B,C", "network", "deeplabv3, hdc: dilation rates", AT_OPT_RATES, AT(net.rates), 1, 1000, NULL},
    {"lrn", NULL, "network", "segnet-basic: local response norm on the input", AT_OPT_SWITCH, AT(net.lrn), 0, 0, NULL},
    {"init", "FILE", "network", "start from what fits of these weights", AT_OPT_STRING, AT(init), 0, 0, NULL},

    {"optimizer", "sgd|adam|adamw", "optimisation", "", AT_OPT_CHOICE, AT(optim.kind), 0, 0, optimiser},
    {"lr", "X", "optimisation", "highest learning rate", AT_OPT_REAL, AT(lr), 0, 1e6, NULL},
    {"schedule", "poly|cosine|step|constant", "optimisation", "how the learning rate falls", AT_OPT_CHOICE, AT(schedule), 0, 0, schedule},
    {"power", "X", "optimisation", "poly: exponent", AT_OPT_REAL, AT(power), 0.01, 100, NULL},
    {"warmup", "N", "optimisation", "iterations of linear warm-up; -1: a twentieth of the run, at most 500", AT_OPT_INT, AT(warmup), -1, BIG, NULL},
    {"weight-decay", "X", "optimisation", "not on norms and biases", AT_OPT_REAL, AT(optim.weight_decay), 0, 1000, NULL},
    {"momentum", "X", "optimisation", "sgd", AT_OPT_REAL, AT(optim.momentum), 0, 1, NULL},
    {"nesterov", NULL, "optimisation", "sgd: look-ahead momentum", AT_OPT_SWITCH, AT(optim.nesterov), 0, 0, NULL},
    {"beta1", "X", "optimisation", "adam, adamw", AT_OPT_REAL, AT(optim.beta1), 0.001, 0.99999, NULL},
    {"beta2", "X", "optimisation", "adam, adamw", AT_OPT_REAL, AT(optim.beta2), 0.001, 0.9999999, NULL},
    {"clip", "X", "optimisation", "largest norm of the gradient; 0: no clipping", AT_OPT_REAL, AT(optim.clip), 0, 1e12, NULL},
    {"loss", "ce|dice|ce+dice|focal", "optimisation", "", AT_OPT_CHOICE, AT(loss), 0, 0, loss},
    {"class-weights", "none|median|enet|inverse|A,B,...", "optimisation", "weights of the classes in the loss", AT_OPT_STRING, AT(class_weights), 0, 0, NULL},
    {"label-smoothing", "X", "optimisation", "ce", AT_OPT_REAL, AT(label_smoothing), 0, 0.999, NULL},
    {"gamma", "X", "optimisation", "focal", AT_OPT_REAL, AT(gamma), 0.001, 100, NULL},
    {"batch", "N", "optimisation", "pictures in a batch", AT_OPT_INT, AT(batch), 1, 65536, NULL},
    {"accumulate", "N", "optimisation", "batches to a step of the optimiser", AT_OPT_INT, AT(accumulate), 1, 65536, NULL},
    {"ema", "DECAY", "optimisation", "average the weights, and validate and keep the average", AT_OPT_AMOUNT, AT(ema), 0, 0.999999, NULL},

    {"epochs", "N", "length", "passes over the training split", AT_OPT_COUNT, AT(epochs), 1, BIG, NULL},
    {"iterations", "N", "length", "steps of the optimiser", AT_OPT_COUNT64, AT(iterations), 1, 1e15, NULL},
    {"time", "30m", "length", "time, as in 90s, 30m, 1h30m", AT_OPT_TIME, AT(time_s), 0, 0, NULL},
    {"patience", "N", "length", "stop after N validations without a better mIoU; 0: never", AT_OPT_INT, AT(patience), 0, BIG, NULL},
    {"val-every", "N", "length", "epochs from one validation to the next", AT_OPT_INT, AT(val_every), 1, BIG, NULL},

    {"seed", "N", "machine", "every random number follows from it", AT_OPT_SEED, AT(seed), 0, 0, NULL},
    {"threads", "N", "machine", "0: one for each processor", AT_OPT_INT, AT(threads), 0, 1024, NULL},
    {"loader-threads", "N", "machine", "threads that load pictures", AT_OPT_INT, AT(loader_threads), 0, 256, NULL},
    {"precision", "fp32|bf16|auto", "machine", "how activations are stored; auto: bf16 where the processor multiplies it faster", AT_OPT_CHOICE, AT(precision), 0, 0, precision},
    {"conv", "auto|direct|winograd|tune", "machine", "convolution algorithm; auto: by a model of the cost; tune: the fastest found by trying, remembered in ~/.cache/atrous", AT_OPT_CHOICE, AT(conv), 0, 0, conv},
    {"recompute", NULL, "machine", "training in less memory and more time: compute values once more instead of keeping them; with --max-mem only as many as must be", AT_OPT_SWITCH, AT(recompute), 0, 0, NULL},
    {"max-mem", "MB", "machine", "refuse a plan that needs more; default: what is free", AT_OPT_AMOUNT, AT(max_mem_mb), 0, BIG, NULL},

    {"runs", "DIR", "run", "where runs are kept", AT_OPT_STRING, AT(runs), 0, 0, NULL},
    {"name", "NAME", "run", "the run's directory; NAME2, NAME3 if it exists", AT_OPT_STRING, AT(name), 0, 0, NULL},
    {"resume", "RUN", "run", "continue this run", AT_OPT_STRING, AT(resume), 0, 0, NULL},
    {0},
};
/* clang-format on */

at_train_opts at_train_defaults(void) {
    return (at_train_opts){
        .val_share = 0.2,
        .augment = {.scale_min = 0.5,
                    .scale_max = 2,
                    .hflip = 0.5,
                    .brightness = 0.2,
                    .contrast = 0.2,
                    .saturation = 0.2},
        .model = "unet",
        .net = {.width = 0.25, .in_channels = 3},
        .optim = {.kind = AT_OPTIM_ADAMW,
                  .momentum = 0.9,
                  .beta1 = 0.9,
                  .beta2 = 0.999,
                  .weight_decay = 0.01},
        .lr = 2e-3,
        .power = 0.9,
        .warmup = -1,
        .class_weights = "none",
        .gamma = 2,
        .batch = 8,
        .accumulate = 1,
        .val_every = 1,
        .loader_threads = 1,
        .runs = "runs",
        .name = "train",
    };
}

/* About a minute on two cores to a mIoU of 0.8. The set's things fill a quarter of a picture at
 * most, so three poolings see enough; scaling blurs its finest lines. */
const at_train_suit at_train_synthetic[] = {
    {"epochs", "22"},    {"batch", "4"},      {"depth", "3"},   {"lr", "0.003"},
    {"loss", "ce+dice"}, {"scale", "1"},      {"vflip", "0.5"}, {"brightness", "0"},
    {"contrast", "0"},   {"saturation", "0"}, {NULL, NULL}};

/* ---- config.json ---- */

static json_t *number_list(const char *text) {
    json_t *list = json_array();
    for (char *end; *text; text = *end == ',' ? end + 1 : end) {
        const double v = strtod(text, &end);
        at_json_add(&list, v == floor(v) ? json_integer((json_int_t)v) : json_real(v));
        if (end == text) break;
    }
    return list;
}

static json_t *value_of(const at_train_option *opt, const char *text) {
    switch ((at_option_type)opt->type) {
    case AT_OPT_INT:
    case AT_OPT_COUNT:
    case AT_OPT_COUNT64:
        return json_integer(strtoll(text, NULL, 10));
    case AT_OPT_REAL:
    case AT_OPT_AMOUNT:
        return json_real(strtod(text, NULL));
    case AT_OPT_SWITCH:
        return json_boolean(strcmp(text, "true") == 0);
    case AT_OPT_RANGE:
    case AT_OPT_RATES:
        return number_list(text);
    case AT_OPT_IGNORE:
        return strcmp(text, "none") == 0 ? json_string(text) : number_list(text);
    default:
        return json_string(text);
    }
}

json_t *at_train_opts_to_json(const at_train_opts *o) {
    json_t *j = json_object();
    for (const at_train_option *opt = at_train_options; j && opt->name; opt++) {
        if (strcmp(opt->name, "resume") == 0) continue;
        char *text = at_train_get(o, opt->name);
        const bool bad =
            !text || (*text && json_object_set_new(j, opt->name, value_of(opt, text)) != 0);
        free(text);
        if (bad) {
            json_decref(j);
            return NULL;
        }
    }
    return j;
}

/* A list as "a,b,c" in a buffer; anything that is not a number fails. */
static bool joined(const json_t *list, char *out, size_t size) {
    size_t used = 0, i;
    const json_t *item;
    json_array_foreach(list, i, item) {
        if (!json_is_number(item)) return false;
        const int n =
            snprintf(out + used, size - used, "%s%.17g", i ? "," : "", json_number_value(item));
        if (n < 0 || (size_t)n >= size - used) return false;
        used += (size_t)n;
    }
    return used > 0;
}

static at_status set_json(at_train_opts *o, const char *name, const json_t *v, at_error *err) {
    char text[4096];
    if (json_is_string(v)) return at_train_set(o, name, json_string_value(v), err);
    if (json_is_boolean(v)) return at_train_set(o, name, json_is_true(v) ? "true" : "false", err);
    if (json_is_integer(v))
        snprintf(text, sizeof text, "%lld", (long long)json_integer_value(v));
    else if (json_is_real(v))
        snprintf(text, sizeof text, "%.17g", json_real_value(v));
    else if (!json_is_array(v) || !joined(v, text, sizeof text))
        return at_fail(err, AT_ERR_USAGE,
                       "%s: expected a number, a string, true, false or a list of numbers", name);
    /* Strings are borrowed, and this text is about to go. */
    for (const at_train_option *opt = at_train_options; opt->name; opt++)
        if (strcmp(opt->name, name) == 0 && opt->type == AT_OPT_STRING)
            return at_fail(err, AT_ERR_USAGE, "%s: expected a string", name);
    return at_train_set(o, name, text, err);
}

at_status at_train_opts_from_json(at_train_opts *o, json_t *j, at_error *err) {
    const char *name;
    json_t *v;
    if (!json_is_object(j))
        return at_fail(err, AT_ERR_USAGE, "configuration: expected a JSON object");
    json_object_foreach(j, name, v) {
        if (name[0] == '_' || json_is_null(v)) continue;
        const at_status s = set_json(o, name, v, err);
        if (s != AT_OK) {
            at_error_context(err, "configuration");
            return s;
        }
    }
    return AT_OK;
}
