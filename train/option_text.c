/* SPDX-License-Identifier: MIT */
/* One option from text and back to text. Every refusal names the option, the text and the remedy.
 */
#include "train/option_text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void *field(at_train_opts *o, const at_train_option *opt) {
    return (char *)o + opt->offset;
}

static at_status refuse(const at_train_option *opt, const char *text, at_error *err) {
    if (isfinite(opt->low) && opt->low < opt->high)
        return at_fail(err, AT_ERR_USAGE, "%s \"%s\": expected %s, from %.12g to %.12g", opt->name,
                       text, opt->value, opt->low, opt->high);
    return at_fail(err, AT_ERR_USAGE, "%s \"%s\": expected %s", opt->name, text, opt->value);
}

/* A number within the option's limits that ends at one of the characters of `ends`. Decimal: strtod
 * would take the 0x8 of a size for hexadecimal. */
static bool number(const at_train_option *opt, const char **p, const char *ends, double *v) {
    char *end;
    const size_t decimal = strspn(*p, "+-.0123456789eE");
    if (!decimal) return false;
    *v = strtod(*p, &end);
    if (end == *p || end > *p + decimal || !strchr(ends, *end)) return false;
    if (!(*v >= opt->low && *v <= opt->high)) return false;
    *p = end;
    return true;
}

static bool whole(const at_train_option *opt, const char **p, const char *ends, double *v) {
    return number(opt, p, ends, v) && *v == floor(*v);
}

static bool set_seed(uint64_t *seed, const char *text) {
    char *end;
    errno = 0;
    *seed = strtoull(text, &end, 10);
    return end != text && !*end && errno == 0 && text[0] >= '0' && text[0] <= '9';
}

/* Parts like 1h, 30m, 90s, added up. */
static bool set_time(double *seconds, const char *text) {
    double sum = 0;
    while (*text) {
        char *end;
        const double v = strtod(text, &end);
        const double unit = *end == 's'   ? 1
                            : *end == 'm' ? 60
                            : *end == 'h' ? 3600
                            : *end == 'd' ? 86400
                                          : 0;
        if (end == text || unit <= 0 || !(v >= 0)) return false;
        sum += v * unit;
        text = end + 1;
    }
    *seconds = sum;
    return sum > 0 && sum < 1e9;
}

static bool set_pair(const at_train_option *opt, at_pair *pair, const char *text) {
    double h, w;
    if (!whole(opt, &text, "xX", &h)) return false;
    if (*text) {
        text++;
        if (!whole(opt, &text, "", &w)) return false;
    } else
        w = h;
    *pair = (at_pair){(int)h, (int)w};
    return true;
}

static bool set_range(const at_train_option *opt, double *range, const char *text) {
    double low, high;
    if (!number(opt, &text, ",", &low)) return false;
    high = low;
    if (*text++ && !number(opt, &text, "", &high)) return false;
    if (high < low) return false;
    range[0] = low, range[1] = high;
    return true;
}

static bool set_list(const at_train_option *opt, int *items, int *count, int most,
                     const char *text) {
    int n = 0;
    for (double v; n < most; text++) {
        if (!whole(opt, &text, ",", &v)) return false;
        items[n++] = (int)v;
        if (!*text) {
            *count = n;
            return true;
        }
    }
    return false;
}

static at_status set_choice(const at_train_option *opt, int *value, const char *text,
                            at_error *err) {
    for (int i = 0; opt->choice(i); i++)
        if (strcmp(opt->choice(i), text) == 0) {
            *value = i;
            return AT_OK;
        }
    return at_fail(err, AT_ERR_USAGE, "%s \"%s\": expected %s", opt->name, text, opt->value);
}

static bool set_switch(bool *value, const char *text) {
    *value = !text || strcmp(text, "true") == 0;
    return *value || strcmp(text, "false") == 0;
}

static bool set_number(const at_train_option *opt, void *to, const char *text) {
    double v;
    const bool real = opt->type == AT_OPT_REAL || opt->type == AT_OPT_AMOUNT;
    if (!(real ? number(opt, &text, "", &v) : whole(opt, &text, "", &v))) return false;
    if (real)
        *(double *)to = v;
    else if (opt->type == AT_OPT_COUNT64)
        *(int64_t *)to = (int64_t)v;
    else
        *(int *)to = (int)v;
    return true;
}

static bool set_ignore(const at_train_option *opt, at_train_opts *o, const char *text) {
    if (strcmp(text, "none") != 0)
        return set_list(opt, o->ignore, &o->ignore_count, AT_MAX_CLASSES, text);
    o->ignore_count = -1;
    return true;
}

at_status at_train_set(at_train_opts *o, const char *name, const char *text, at_error *err) {
    const at_train_option *opt = at_train_options;
    while (opt->name && strcmp(opt->name, name) != 0) opt++;
    if (!opt->name) return at_fail(err, AT_ERR_USAGE, "%s: there is no such option", name);
    if (!text && opt->type != AT_OPT_SWITCH)
        return at_fail(err, AT_ERR_USAGE, "%s: needs a value: %s", name, opt->value);
    void *to = field(o, opt);
    bool ok = true;
    switch ((at_option_type)opt->type) {
    case AT_OPT_STRING:
        *(const char **)to = text;
        break;
    case AT_OPT_SEED:
        ok = set_seed(to, text);
        break;
    case AT_OPT_TIME:
        ok = set_time(to, text);
        break;
    case AT_OPT_SWITCH:
        ok = set_switch(to, text);
        break;
    case AT_OPT_PAIR:
        ok = set_pair(opt, to, text);
        break;
    case AT_OPT_RANGE:
        ok = set_range(opt, to, text);
        break;
    case AT_OPT_CHOICE:
        return set_choice(opt, to, text, err);
    case AT_OPT_IGNORE:
        ok = set_ignore(opt, o, text);
        break;
    case AT_OPT_RATES:
        ok = set_list(opt, o->net.rates, &o->net.rate_count, AT_MAX_RATES, text);
        break;
    default:
        ok = set_number(opt, to, text);
    }
    return ok ? AT_OK : refuse(opt, text, err);
}

/* ---- back to text ---- */

/* The shortest of 15 to 17 digits that reads back as the same number. */
static char *real_text(double v) {
    char text[32];
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v) break;
    }
    return strdup(text);
}

static char *list_text(const int *items, int count) {
    char *text = strdup("");
    for (int i = 0; i < count && text; i++) {
        char *longer = at_format("%s%s%d", text, i ? "," : "", items[i]);
        free(text);
        text = longer;
    }
    return text;
}

static char *range_text(const double *range) {
    char *low = real_text(range[0]), *high = real_text(range[1]);
    char *text = low && high ? at_format("%s,%s", low, high) : NULL;
    free(low);
    free(high);
    return text;
}

static char *text_of(const at_train_option *opt, const at_train_opts *o, const void *from) {
    const at_pair *pair = from;
    switch ((at_option_type)opt->type) {
    case AT_OPT_STRING:
        return strdup(*(const char *const *)from ? *(const char *const *)from : "");
    case AT_OPT_INT:
        return at_format("%d", *(const int *)from);
    case AT_OPT_COUNT:
        return *(const int *)from ? at_format("%d", *(const int *)from) : strdup("");
    case AT_OPT_COUNT64:
        return *(const int64_t *)from ? at_format("%lld", (long long)*(const int64_t *)from)
                                      : strdup("");
    case AT_OPT_SEED:
        return at_format("%llu", (unsigned long long)*(const uint64_t *)from);
    case AT_OPT_REAL:
        return real_text(*(const double *)from);
    case AT_OPT_AMOUNT:
        return *(const double *)from > 0 ? real_text(*(const double *)from) : strdup("");
    case AT_OPT_TIME:
        return *(const double *)from > 0 ? at_format("%.12gs", *(const double *)from) : strdup("");
    case AT_OPT_SWITCH:
        return strdup(*(const bool *)from ? "true" : "false");
    case AT_OPT_PAIR:
        return pair->h ? at_format("%dx%d", pair->h, pair->w) : strdup("");
    case AT_OPT_RANGE:
        return range_text(from);
    case AT_OPT_CHOICE:
        return strdup(opt->choice(*(const int *)from));
    case AT_OPT_IGNORE:
        return o->ignore_count < 0 ? strdup("none") : list_text(o->ignore, o->ignore_count);
    case AT_OPT_RATES:
        return list_text(o->net.rates, o->net.rate_count);
    }
    return NULL;
}

char *at_train_get(const at_train_opts *o, const char *name) {
    const at_train_option *opt = at_train_options;
    while (opt->name && strcmp(opt->name, name) != 0) opt++;
    return opt->name ? text_of(opt, o, (const char *)o + opt->offset) : NULL;
}
