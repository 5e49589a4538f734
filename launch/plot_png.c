/* Curves as a picture, by cairo: 1200 x 700, a grid at round numbers, a legend below. */
#include <cairo.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "common/errors.h"
#include "common/memory.h"
#include "launch/plot_scale.h"

enum { WIDTH = 1200, HEIGHT = 700, LEFT = 90, RIGHT = 40, TOP = 70, BOTTOM = 110 };

static const double colours[][3] = {
    {0.12, 0.35, 0.70}, {0.80, 0.25, 0.15}, {0.15, 0.55, 0.30}, {0.50, 0.30, 0.65}};

typedef struct {
    cairo_t *cr;
    PlotScale x, y;
} Picture;

static double at_x(const Picture *p, double x)
{
    return LEFT + (x - p->x.low) / (p->x.high - p->x.low) * (WIDTH - LEFT - RIGHT);
}
static double at_y(const Picture *p, double y)
{
    return TOP + (p->y.high - y) / (p->y.high - p->y.low) * (HEIGHT - TOP - BOTTOM);
}

/* align: 0 text starts at x, 0.5 is centred on it, 1 ends there. */
static void write_text(cairo_t *cr, const char *text, double x, double y, double size, double align)
{
    cairo_text_extents_t e;
    cairo_set_font_size(cr, size);
    cairo_text_extents(cr, text, &e);
    cairo_move_to(cr, x - align * e.x_advance, y);
    cairo_show_text(cr, text);
}

static void draw_rule(cairo_t *cr, double x0, double y0, double x1, double y1, double grey)
{
    cairo_set_source_rgb(cr, grey, grey, grey);
    cairo_set_line_width(cr, 1);
    cairo_move_to(cr, floor(x0) + 0.5, floor(y0) + 0.5);
    cairo_line_to(cr, floor(x1) + 0.5, floor(y1) + 0.5);
    cairo_stroke(cr);
}

static void draw_grid(const Picture *p, const char *title, const char *x_label)
{
    cairo_t *cr = p->cr;
    char number[32];
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_paint(cr);
    cairo_select_font_face(cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
    for (int t = 0; t <= (int)lround((p->y.high - p->y.low) / p->y.step); t++) {
        double value = p->y.low + t * p->y.step, y = at_y(p, value);
        draw_rule(cr, LEFT, y, WIDTH - RIGHT, y, t ? 0.88 : 0.4);
        plot_number(number, sizeof number, value, p->y.step);
        cairo_set_source_rgb(cr, 0.2, 0.2, 0.2);
        write_text(cr, number, LEFT - 10, y + 6, 17, 1);
    }
    for (int t = 0; t <= (int)lround((p->x.high - p->x.low) / p->x.step); t++) {
        double value = p->x.low + t * p->x.step, x = at_x(p, value);
        draw_rule(cr, x, TOP, x, HEIGHT - BOTTOM, t ? 0.88 : 0.4);
        plot_number(number, sizeof number, value, p->x.step);
        cairo_set_source_rgb(cr, 0.2, 0.2, 0.2);
        write_text(cr, number, x, HEIGHT - BOTTOM + 24, 17, 0.5);
    }
    cairo_set_source_rgb(cr, 0.1, 0.1, 0.1);
    write_text(cr, title, LEFT, TOP - 28, 22, 0);
    write_text(cr, x_label, (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - BOTTOM + 52, 18, 0.5);
}

static void draw_series(const Picture *p, const PlotSeries *s, int index)
{
    cairo_t *cr = p->cr;
    const double *c = colours[index % 4];
    cairo_set_source_rgb(cr, c[0], c[1], c[2]);
    cairo_set_line_width(cr, s->dots ? 1.2 : 2);
    cairo_new_path(cr);
    for (int k = 0; k < s->n; k++)
        if (isfinite(s->y[k])) cairo_line_to(cr, at_x(p, s->x[k]), at_y(p, s->y[k]));
    cairo_stroke(cr);
    for (int k = 0; s->dots && k < s->n; k++) {
        if (!isfinite(s->y[k])) continue;
        cairo_arc(cr, at_x(p, s->x[k]), at_y(p, s->y[k]), 6, 0, 2 * M_PI);
        cairo_fill(cr);
    }
}

static void draw_legend(const Picture *p, const PlotSeries *s, int n_series)
{
    double x = LEFT, y = HEIGHT - 24;
    for (int i = 0; i < n_series; i++) {
        const double *c = colours[i % 4];
        cairo_set_source_rgb(p->cr, c[0], c[1], c[2]);
        cairo_set_line_width(p->cr, 3);
        cairo_move_to(p->cr, x, y - 6);
        cairo_line_to(p->cr, x + 34, y - 6);
        cairo_stroke(p->cr);
        if (s[i].dots) {
            cairo_arc(p->cr, x + 17, y - 6, 6, 0, 2 * M_PI);
            cairo_fill(p->cr);
        }
        cairo_set_source_rgb(p->cr, 0.1, 0.1, 0.1);
        write_text(p->cr, s[i].name, x + 44, y, 18, 0);
        cairo_text_extents_t e;
        cairo_text_extents(p->cr, s[i].name, &e);
        x += 44 + e.x_advance + 40;
    }
}

int plot_png(const char *path, const char *title, const char *x_label, const PlotSeries *s,
             int n_series)
{
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, WIDTH, HEIGHT);
    Picture p = {cairo_create(surface), plot_scale(s, n_series, false, 10),
                 plot_scale(s, n_series, true, 6)};
    draw_grid(&p, title, x_label);
    for (int i = 0; i < n_series; i++) draw_series(&p, &s[i], i);
    draw_legend(&p, s, n_series);
    char *aside = mem_printf("%s.tmp.%d", path, (int)getpid());
    cairo_status_t status = cairo_surface_write_to_png(surface, aside);
    int rc = status == CAIRO_STATUS_SUCCESS && rename(aside, path) == 0
                 ? 0
                 : fail("%s: %s", path, cairo_status_to_string(status));
    if (rc) unlink(aside);
    mem_free(aside);
    cairo_destroy(p.cr);
    cairo_surface_destroy(surface);
    return rc;
}
