/* SPDX-License-Identifier: MIT */
/* Run directories and their results.csv. A directory is claimed by mkdir alone, so two runs that
 * start together cannot take the same one. */
#include "train/run.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "train/run_private.h"

static const char csv_header[] = "epoch,time_s,train/loss,val/loss,val/miou,val/pixel_accuracy,val/"
                                 "mean_accuracy,lr,val/mean_dice,val/fwiou,train/grad_norm\n";
enum { COLUMNS = 11, TRIES = 100000 };

at_status at_run_new(const char *parent, const char *name, char **path, at_error *err) {
    *path = NULL;
    if (!*name || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return at_fail(err, AT_ERR_USAGE, "run name \"%s\": give a plain name without slashes",
                       name);
    AT_TRY(at_make_dirs(parent, err));
    for (int i = 1; i < TRIES; i++) {
        char *p = i == 1 ? at_format("%s/%s", parent, name) : at_format("%s/%s%d", parent, name, i);
        if (!p) return at_fail_memory(err, "path of the run", 0);
        if (mkdir(p, 0777) == 0) {
            *path = p;
            return AT_OK;
        }
        const int why = errno;
        if (why != EEXIST) {
            at_fail(err, AT_ERR_IO, "%s: cannot make the run's directory: %s", p, strerror(why));
            free(p);
            return AT_ERR_IO;
        }
        free(p);
    }
    return at_fail(err, AT_ERR_IO, "%s/%s: %d runs of that name exist; choose another", parent,
                   name, TRIES);
}

/* ---- rows ---- */

/* An empty field for NAN; 9 digits otherwise. */
static void put(FILE *f, double v) {
    if (isfinite(v))
        fprintf(f, ",%.9g", v);
    else
        fputc(',', f);
}

static void row_write(FILE *f, const at_epoch_row *r) {
    fprintf(f, "%d,%.1f", r->epoch, r->time_s);
    const double values[] = {r->train_loss,     r->val_loss,      r->miou,
                             r->pixel_accuracy, r->mean_accuracy, r->lr,
                             r->mean_dice,      r->fwiou,         r->grad_norm};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) put(f, values[i]);
    fputc('\n', f);
}

static bool parse_row(char *line, at_epoch_row *r) {
    double v[COLUMNS];
    int count = 0;
    for (char *field; count < COLUMNS && (field = strsep(&line, ",")); count++) {
        char *end;
        v[count] = *field ? strtod(field, &end) : NAN;
        if (*field && *end) return false;
    }
    if (count != COLUMNS || line || !(v[0] >= 1 && v[0] < 1e9)) return false;
    *r = (at_epoch_row){.epoch = (int)v[0],
                        .time_s = v[1],
                        .train_loss = v[2],
                        .val_loss = v[3],
                        .miou = v[4],
                        .pixel_accuracy = v[5],
                        .mean_accuracy = v[6],
                        .lr = v[7],
                        .mean_dice = v[8],
                        .fwiou = v[9],
                        .grad_norm = v[10]};
    return true;
}

static at_status parse_rows(char *text, const char *path, at_epoch_row **rows, int *count,
                            at_error *err) {
    size_t lines = 0;
    for (const char *p = text; *p; p++) lines += *p == '\n';
    at_epoch_row *r = calloc(lines + 1, sizeof *r);
    if (!r) return at_fail_memory(err, "rows of results.csv", (lines + 1) * sizeof *r);
    int n = 0, line_number = 0;
    for (char *line; (line = strsep(&text, "\n"));) {
        if (line_number++ == 0 || !*line) continue;
        if (!parse_row(line, &r[n])) {
            free(r);
            return at_fail(err, AT_ERR_INPUT,
                           "%s, line %d: not a row of results; has it been edited?", path,
                           line_number);
        }
        n++;
    }
    *rows = r;
    *count = n;
    return AT_OK;
}

at_status at_results_read(const char *path, at_epoch_row **rows, int *count, at_error *err) {
    char *text;
    size_t size;
    *rows = NULL, *count = 0;
    AT_TRY(at_file_read(path, 0, &text, &size, err));
    /* A kill while a row was being added leaves half a line: it never was. */
    while (size > 0 && text[size - 1] != '\n') text[--size] = '\0';
    const at_status s = parse_rows(text, path, rows, count, err);
    free(text);
    return s;
}

at_status at_results_write(const char *path, const at_epoch_row *rows, int count, at_error *err) {
    at_file_writer w;
    AT_TRY(at_file_begin(&w, path, err));
    fputs(csv_header, w.stream);
    for (int i = 0; i < count; i++) row_write(w.stream, &rows[i]);
    return at_file_commit(&w, err);
}

/* ---- metrics.jsonl ---- */

at_status at_jsonl_append(const char *path, json_t *line, at_error *err) {
    char *text = line ? json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(12)) : NULL;
    json_decref(line);
    if (!text) return at_fail_memory(err, "line of metrics.jsonl", 0);
    FILE *f = fopen(path, "a");
    bool ok = f && fprintf(f, "%s\n", text) > 0;
    if (f) ok &= fclose(f) == 0;
    at_json_release(text);
    return ok ? AT_OK : at_fail(err, AT_ERR_IO, "%s: cannot write: %s", path, strerror(errno));
}

/* A line of an epoch up to `epoch`, or of none. */
static bool keep_line(const char *line, size_t length, int epoch) {
    json_t *j = json_loadb(line, length, 0, NULL);
    const json_t *e = json_object_get(j, "epoch");
    const bool keep = j && (!e || json_integer_value(e) <= epoch);
    json_decref(j);
    return keep;
}

at_status at_jsonl_truncate(const char *path, int epoch, at_error *err) {
    char *text;
    size_t size;
    if (!at_path_exists(path)) return AT_OK;
    AT_TRY(at_file_read(path, 0, &text, &size, err));
    at_file_writer w;
    at_status s = at_file_begin(&w, path, err);
    if (s == AT_OK) {
        for (const char *line = text, *end; (end = strchr(line, '\n')); line = end + 1)
            if (keep_line(line, (size_t)(end - line), epoch))
                fwrite(line, 1, (size_t)(end - line) + 1, w.stream);
        s = at_file_commit(&w, err);
    }
    free(text);
    return s;
}
