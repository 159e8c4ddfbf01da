/* SPDX-License-Identifier: MIT */
/* The synthetic set: a scene of textured shapes on textured ground, told by (seed, index) alone.
 *
 * Discs and boxes differ by form, and discs are shaded like balls; their colours and spots come
 * from the same lots. Striped things differ by texture only: they are discs, boxes or stars filled
 * with fine stripes. Lines are 1 to 3 pixels wide, straight or bent, and lie above all else: what
 * low resolution loses first. Each thing stands out from what lies under it; colour says nothing
 * about class. The ground distracts: mottles, wide soft stripes, blurred spots; light falls off
 * across the picture, and noise lies over it. A pixel's id is that of the topmost thing that holds
 * its centre, exactly; only colours are blended at edges. Lengths grow with the shorter side,
 * except stripes and lines, which stay as fine as they are.
 */
#include "data/synth.h"

#include <math.h>
#include <stdlib.h>

#include "data/decode.h"

static const at_known_class classes[] = {{"ground", {60, 60, 60}},
                                         {"disc", {230, 80, 60}},
                                         {"box", {70, 130, 230}},
                                         {"striped", {240, 200, 60}},
                                         {"line", {90, 220, 120}}};

const at_known at_known_synth = {"synthetic", 5, classes, 255, {0, 0, 0}};

enum { GROUND, DISC, BOX, STRIPED, LINE };
enum { LATTICE = 32, BEND = 8 };
static const float PI = 3.14159265f;

typedef struct color {
    float v[3]; /* 0 .. 1 */
} color;

/* What a surface looks like at a point: two colours, mixed by noise or by stripes. */
typedef struct paint {
    color a, b;
    float noise, grain;   /* how far noise moves from a to b; size of its spots in pixels */
    float dx, dy;         /* place in the lattice */
    float shade;          /* how much darker at the rim than in the middle (balls) */
    float period, cx, cy; /* stripes: width of a pair in pixels (0: none), direction */
} paint;

typedef struct shape {
    int kind;                 /* DISC, BOX, or a star as STRIPED */
    float x, y, rx, ry, c, s; /* centre, half sizes, cosine and sine of its turn */
} shape;

typedef struct scene {
    at_rng rng;
    int width, height;
    float unit; /* shorter side / AT_SYNTH_SIZE */
    float lattice[LATTICE * LATTICE];
    color *canvas; /* [height, width] */
    uint8_t *ids;
} scene;

/* ---- chance ---- */

static float range(scene *s, float low, float high) {
    return at_rng_range(&s->rng, low, high);
}

/* Small ones as often as large ones, octave by octave. */
static float log_range(scene *s, float low, float high) {
    return expf(range(s, logf(low), logf(high)));
}

static int below(scene *s, int n) {
    return (int)at_rng_below(&s->rng, (uint32_t)n);
}

static color any_color(scene *s) {
    color c;
    for (int i = 0; i < 3; i++) c.v[i] = range(s, 0.08f, 0.92f);
    return c;
}

static float difference(color a, color b) {
    float sum = 0;
    for (int i = 0; i < 3; i++) sum += (a.v[i] - b.v[i]) * (a.v[i] - b.v[i]);
    return sqrtf(sum);
}

/* How far a colour is from the nearest of some others. */
static float distance_to_all(color c, const color *others, int count) {
    float least = INFINITY;
    for (int i = 0; i < count; i++) least = fminf(least, difference(c, others[i]));
    return least;
}

/* A colour at least `least` away from all of these: the best of a few. */
static color unlike(scene *s, const color *others, int count, float least) {
    color best = any_color(s);
    for (int i = 0; i < 12 && distance_to_all(best, others, count) < least; i++) {
        color c = any_color(s);
        if (distance_to_all(c, others, count) > distance_to_all(best, others, count)) best = c;
    }
    return best;
}

/* What is drawn so far at a place; places outside stand for the nearest inside. */
static color color_under(const scene *s, float x, float y) {
    int i = (int)fminf(fmaxf(x, 0), (float)s->width - 1);
    int j = (int)fminf(fmaxf(y, 0), (float)s->height - 1);
    return s->canvas[(size_t)j * (size_t)s->width + (size_t)i];
}

static color mix(color a, color b, float t) {
    for (int i = 0; i < 3; i++) a.v[i] += (b.v[i] - a.v[i]) * t;
    return a;
}

/* ---- surfaces ---- */

/* Value noise, 0 .. 1, smooth, repeating after LATTICE cells. */
static float noise(const scene *s, float x, float y) {
    float fx = floorf(x), fy = floorf(y), u = x - fx, v = y - fy;
    int i = (int)fx & (LATTICE - 1), j = (int)fy & (LATTICE - 1);
    int i1 = (i + 1) & (LATTICE - 1), j1 = (j + 1) & (LATTICE - 1);
    u = u * u * (3 - 2 * u);
    v = v * v * (3 - 2 * v);
    const float *a = s->lattice + j * LATTICE, *b = s->lattice + j1 * LATTICE;
    float top = a[i] + (a[i1] - a[i]) * u, bottom = b[i] + (b[i1] - b[i]) * u;
    return top + (bottom - top) * v;
}

static color paint_at(const scene *s, const paint *p, float x, float y) {
    float u = x / p->grain + p->dx, v = y / p->grain + p->dy;
    float t = (0.7f * noise(s, u, v) + 0.3f * noise(s, 2.7f * u, 2.7f * v)) * p->noise;
    if (p->period > 0) {
        float wave = sinf(2 * PI * (x * p->cx + y * p->cy) / p->period);
        t = 0.25f * t + 0.75f * fminf(fmaxf(0.5f + 0.9f * wave, 0), 1);
    }
    return mix(p->a, p->b, t);
}

static paint mottled(scene *s, color first) {
    paint p = {.a = first, .grain = s->unit * log_range(s, 1.5f, 6)};
    p.b = mix(p.a, any_color(s), 0.5f);
    p.noise = range(s, 0.2f, 1);
    p.dx = range(s, 0, LATTICE);
    p.dy = range(s, 0, LATTICE);
    return p;
}

static paint striped(scene *s, color first, float low, float high, float contrast) {
    paint p = mottled(s, first);
    float turn = range(s, 0, PI);
    p.b = unlike(s, &first, 1, contrast);
    p.period = range(s, low, high);
    p.cx = cosf(turn);
    p.cy = sinf(turn);
    return p;
}

/* ---- shapes: signed distances in pixels, negative inside ---- */

static float distance(const shape *f, float px, float py) {
    float dx = px - f->x, dy = py - f->y;
    float x = f->c * dx + f->s * dy, y = f->c * dy - f->s * dx;
    float least = fminf(f->rx, f->ry);
    if (f->kind == BOX) {
        float qx = fabsf(x) - f->rx, qy = fabsf(y) - f->ry;
        return hypotf(fmaxf(qx, 0), fmaxf(qy, 0)) + fminf(fmaxf(qx, qy), 0);
    }
    if (f->kind == DISC) return (hypotf(x / f->rx, y / f->ry) - 1) * least;
    float turn = atan2f(y, x) * (5 / (2 * PI)), part = fabsf(turn - floorf(turn) - 0.5f) * 2;
    return 0.7f * (hypotf(x, y) - least * (0.5f + 0.6f * part)); /* five points */
}

static void put(scene *s, int x, int y, float d, color c, int id) {
    size_t at = (size_t)y * (size_t)s->width + (size_t)x;
    float cover = fminf(fmaxf(0.5f - d, 0), 1);
    if (cover > 0) s->canvas[at] = mix(s->canvas[at], c, cover);
    if (d < 0 && id >= 0) s->ids[at] = (uint8_t)id;
}

/* Pixels around a place, clipped to the picture. */
typedef struct box {
    int x0, y0, x1, y1;
} box;

static box around(const scene *s, float x0, float y0, float x1, float y1, float reach) {
    return (box){(int)fmaxf(x0 - reach, 0), (int)fmaxf(y0 - reach, 0),
                 (int)fminf(fmaxf(x1 + reach, 0), (float)s->width),
                 (int)fminf(fmaxf(y1 + reach, 0), (float)s->height)};
}

static void draw_shape(scene *s, const shape *f, const paint *p, int id) {
    box b = around(s, f->x, f->y, f->x, f->y, 1.5f * fmaxf(f->rx, f->ry) + 2);
    for (int y = b.y0; y < b.y1; y++)
        for (int x = b.x0; x < b.x1; x++) {
            float px = (float)x + 0.5f, py = (float)y + 0.5f, d = distance(f, px, py);
            if (d >= 0.5f) continue;
            float rim = fminf(hypotf(px - f->x, py - f->y) / fmaxf(f->rx, f->ry), 1);
            color c = paint_at(s, p, px, py);
            for (int i = 0; i < 3; i++) c.v[i] *= 1 + p->shade * (0.3f - rim * rim);
            put(s, x, y, d, c, id);
        }
}

/* A colour that stands out from what lies under the shape's middle and its rim. */
static color color_for(scene *s, const shape *f) {
    color under[9] = {color_under(s, f->x, f->y)};
    for (int i = 0; i < 8; i++) {
        float turn = (float)i * PI / 4;
        under[i + 1] = color_under(s, f->x + f->rx * cosf(turn), f->y + f->rx * sinf(turn));
    }
    return unlike(s, under, 9, 0.5f);
}

static void add_thing(scene *s) {
    static const int kinds[] = {DISC, DISC, BOX, BOX, STRIPED};
    int id = kinds[below(s, 5)], form = id == STRIPED ? below(s, 3) + DISC : id;
    float r = s->unit * log_range(s, 5.5f, 16.5f), turn = range(s, 0, 2 * PI);
    float ratio = range(s, form == BOX ? 0.55f : 0.85f, 1);
    shape f = {.kind = form, .rx = r, .ry = r * ratio, .c = cosf(turn), .s = sinf(turn)};
    f.x = range(s, 0, (float)s->width);
    f.y = range(s, 0, (float)s->height);
    color c = color_for(s, &f);
    paint p = id == STRIPED ? striped(s, c, 3.5f, 5.5f, 0.6f) : mottled(s, c);
    if (id == DISC) p.shade = range(s, 0.25f, 0.7f);
    draw_shape(s, &f, &p, id);
}

/* ---- lines ---- */

static float segment_distance(const float a[2], const float b[2], float x, float y) {
    float dx = b[0] - a[0], dy = b[1] - a[1], px = x - a[0], py = y - a[1];
    float t = fminf(fmaxf((px * dx + py * dy) / (dx * dx + dy * dy + 1e-9f), 0), 1);
    return hypotf(px - t * dx, py - t * dy);
}

typedef struct curve {
    float at[BEND + 1][2], reach; /* no point lies further than this outside of the ends' box */
} curve;

/* A quadratic Bezier curve, straight for every other line, as BEND pieces. */
static curve any_curve(scene *s) {
    curve q;
    float p[3][2], w = (float)s->width, h = (float)s->height;
    for (int i = 0; i < 3; i += 2) {
        p[i][0] = range(s, 0, w);
        p[i][1] = range(s, 0, h);
    }
    float dx = p[2][0] - p[0][0], dy = p[2][1] - p[0][1];
    float bend =
        below(s, 2) ? range(s, -0.4f, 0.4f) : 0; /* twice how far the middle leaves the chord */
    p[1][0] = (p[0][0] + p[2][0]) / 2 - bend * dy;
    p[1][1] = (p[0][1] + p[2][1]) / 2 + bend * dx;
    for (int i = 0; i <= BEND; i++)
        for (int k = 0; k < 2; k++) {
            float t = (float)i / BEND;
            q.at[i][k] = (1 - t) * (1 - t) * p[0][k] + 2 * t * (1 - t) * p[1][k] + t * t * p[2][k];
        }
    q.reach = 0.2f * hypotf(dx, dy);
    return q;
}

static void add_line(scene *s) {
    static const float widths[4] = {1, 2, 3, 3};
    float width = widths[below(s, 4)];
    curve q = any_curve(s);
    color under[BEND + 1];
    for (int i = 0; i <= BEND; i++) under[i] = color_under(s, q.at[i][0], q.at[i][1]);
    color c = unlike(s, under, BEND + 1, 0.7f);
    const float *a = q.at[0], *e = q.at[BEND];
    box b = around(s, fminf(a[0], e[0]), fminf(a[1], e[1]), fmaxf(a[0], e[0]), fmaxf(a[1], e[1]),
                   q.reach + 4);
    for (int y = b.y0; y < b.y1; y++)
        for (int x = b.x0; x < b.x1; x++) {
            float d = INFINITY;
            for (int i = 0; i < BEND; i++)
                d = fminf(d,
                          segment_distance(q.at[i], q.at[i + 1], (float)x + 0.5f, (float)y + 0.5f));
            put(s, x, y, d - width / 2, c, LINE);
        }
}

/* ---- the picture ---- */

static void add_ground(scene *s) {
    paint p = below(s, 2) ? striped(s, any_color(s), 13, 26, 0) : mottled(s, any_color(s));
    p.b = mix(p.a, p.b, 0.45f);
    p.grain *= 2;
    for (int y = 0; y < s->height; y++)
        for (int x = 0; x < s->width; x++)
            s->canvas[(size_t)y * (size_t)s->width + (size_t)x] =
                paint_at(s, &p, (float)x + 0.5f, (float)y + 0.5f);
}

/* A blurred spot: looks like a thing to a net that only sees colour. Stays ground. */
static void add_spot(scene *s) {
    float x0 = range(s, 0, (float)s->width), y0 = range(s, 0, (float)s->height);
    float r = s->unit * log_range(s, 3.5f, 9.5f), strength = range(s, 0.4f, 0.8f);
    color c = any_color(s);
    box b = around(s, x0, y0, x0, y0, 2.5f * r);
    for (int y = b.y0; y < b.y1; y++)
        for (int x = b.x0; x < b.x1; x++) {
            float dx = ((float)x + 0.5f - x0) / r, dy = ((float)y + 0.5f - y0) / r;
            color *to = &s->canvas[(size_t)y * (size_t)s->width + (size_t)x];
            *to = mix(*to, c, strength * expf(-dx * dx - dy * dy));
        }
}

/* Light that falls off towards one side, noise, and down to bytes. */
static void expose(scene *s, at_image *image) {
    float turn = range(s, 0, 2 * PI), slope = range(s, 0, 0.35f), sigma = range(s, 0.005f, 0.025f);
    float cx = cosf(turn) / (float)s->width, cy = sinf(turn) / (float)s->height;
    uint8_t *to = image->data;
    for (int y = 0; y < s->height; y++)
        for (int x = 0; x < s->width; x++) {
            float light = 1 + slope *
                                  (((float)x - 0.5f * (float)s->width) * cx +
                                   ((float)y - 0.5f * (float)s->height) * cy) *
                                  2;
            const color *c = &s->canvas[(size_t)y * (size_t)s->width + (size_t)x];
            for (int i = 0; i < 3; i++) {
                float v = c->v[i] * light + sigma * at_rng_normal(&s->rng);
                *to++ = (uint8_t)(255 * fminf(fmaxf(v, 0), 1) + 0.5f);
            }
        }
}

static void draw(scene *s, at_image *image) {
    int longer = s->width > s->height ? s->width : s->height;
    int shorter = s->width + s->height - longer, stretch = (longer + shorter / 2) / shorter;
    for (int i = 0; i < LATTICE * LATTICE; i++) s->lattice[i] = at_rng_uniform(&s->rng);
    add_ground(s);
    for (int i = below(s, 3) * stretch; i > 0; i--) add_spot(s);
    for (int i = (3 + below(s, 4)) * stretch; i > 0; i--) add_thing(s);
    for (int i = (1 + below(s, 3)) * stretch; i > 0; i--) add_line(s);
    expose(s, image);
}

at_status at_synth_draw(uint64_t seed, uint64_t index, at_pair size, at_image *image,
                        uint8_t **mask, at_error *err) {
    size_t pixels = (size_t)size.h * (size_t)size.w;
    *mask = NULL;
    AT_TRY(at_image_alloc(size.w, size.h, 3, image, err));
    scene *s = calloc(1, sizeof *s);
    color *canvas = malloc(pixels * sizeof *canvas);
    uint8_t *ids = calloc(pixels, 1);
    if (!s || !canvas || !ids) {
        at_image_free(image);
        free(s);
        free(canvas);
        free(ids);
        return at_fail_memory(err, "a synthetic picture", pixels * sizeof *canvas);
    }
    *s = (scene){
        .rng = at_rng_make(seed, AT_RNG_SYNTH, index, 0), .width = size.w, .height = size.h};
    s->unit = (float)(size.w < size.h ? size.w : size.h) / AT_SYNTH_SIZE;
    s->canvas = canvas;
    s->ids = ids;
    draw(s, image);
    free(canvas);
    free(s);
    *mask = ids;
    return AT_OK;
}
