/* Curves in a terminal: each character is a 2 x 4 grid of braille dots, in ASCII one mark. Lines
 * are drawn between neighbouring points; dotted series (evaluations) as marks that lie over the
 * lines. */
#include <math.h>
#include <string.h>

#include "common/memory.h"
#include "launch/plot_scale.h"

typedef struct {
    int width, height;   /* characters of the drawing area */
    unsigned char *dots; /* [height][width] bits of the braille cell */
    char *marks;         /* [height][width] 1 + index of a dotted series, 0 = none */
    PlotScale x, y;
} Canvas;

static const char ascii_marks[] = "*o+x#@";
/* circle, diamond, triangle, square */
static const char *const braille_marks[] = {"\xe2\x97\x8f", "\xe2\x97\x86", "\xe2\x96\xb2",
                                            "\xe2\x96\xa0"};

static void put(Canvas *c, int px, int py)
{
    static const unsigned char bits[4][2] = {
        {0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    if (px < 0 || py < 0 || px >= 2 * c->width || py >= 4 * c->height) return;
    size_t cell = (size_t)(py / 4) * (size_t)c->width + (size_t)(px / 2);
    c->dots[cell] |= bits[py % 4][px % 2];
}

static double pixel_x(const Canvas *c, double x)
{
    return (x - c->x.low) / (c->x.high - c->x.low) * (2 * c->width - 1);
}
static double pixel_y(const Canvas *c, double y)
{
    return (c->y.high - y) / (c->y.high - c->y.low) * (4 * c->height - 1);
}

static void draw_line(Canvas *c, const PlotSeries *s)
{
    int last = -1;
    for (int k = 0; k < s->n; k++) {
        if (!isfinite(s->y[k])) continue;
        double x1 = pixel_x(c, s->x[k]), y1 = pixel_y(c, s->y[k]);
        double x0 = last < 0 ? x1 : pixel_x(c, s->x[last]),
               y0 = last < 0 ? y1 : pixel_y(c, s->y[last]);
        int steps = 1 + (int)fmax(fabs(x1 - x0), fabs(y1 - y0));
        for (int i = 0; i <= steps; i++)
            put(c, (int)lround(x0 + (x1 - x0) * i / steps),
                (int)lround(y0 + (y1 - y0) * i / steps));
        last = k;
    }
}

static void draw_dots(Canvas *c, const PlotSeries *s, int index)
{
    for (int k = 0; k < s->n; k++) {
        if (!isfinite(s->y[k])) continue;
        int column = (int)lround(pixel_x(c, s->x[k])) / 2,
            row = (int)lround(pixel_y(c, s->y[k])) / 4;
        if (column >= 0 && column < c->width && row >= 0 && row < c->height)
            c->marks[(size_t)row * (size_t)c->width + (size_t)column] = (char)(index + 1);
    }
}

static void print_cell(FILE *out, const Canvas *c, size_t cell, bool ascii)
{
    if (c->marks[cell]) {
        int i = c->marks[cell] - 1;
        if (ascii)
            fputc(ascii_marks[i % 6], out);
        else
            fputs(braille_marks[i % 4], out);
    } else if (!c->dots[cell])
        fputc(' ', out);
    else if (ascii)
        fputc('.', out);
    /* U+2800 + dots */
    else
        fprintf(out, "\xe2%c%c", 0xa0 + (c->dots[cell] >> 6), 0x80 + (c->dots[cell] & 0x3f));
}

static void print_rows(FILE *out, const Canvas *c, bool ascii)
{
    int n_ticks = (int)lround((c->y.high - c->y.low) / c->y.step);
    for (int row = 0; row < c->height; row++) {
        char label[32] = "";
        for (int t = 0; t <= n_ticks; t++) {
            double value = c->y.low + t * c->y.step;
            if ((int)lround(pixel_y(c, value)) / 4 == row)
                plot_number(label, sizeof label, value, c->y.step);
        }
        fprintf(out, "%8s %s", label, ascii ? "|" : "\xe2\x94\x82");
        for (int column = 0; column < c->width; column++)
            print_cell(out, c, (size_t)row * (size_t)c->width + (size_t)column, ascii);
        fputc('\n', out);
    }
}

static void print_x_axis(FILE *out, const Canvas *c, const char *x_label, bool ascii)
{
    fprintf(out, "%8s %s", "", ascii ? "+" : "\xe2\x94\x94");
    for (int i = 0; i < c->width; i++) fputs(ascii ? "-" : "\xe2\x94\x80", out);
    char line[512] = "", number[32];
    size_t used = 0;
    int n_ticks = (int)lround((c->x.high - c->x.low) / c->x.step);
    memset(line, ' ', sizeof line - 1);
    for (int t = 0; t <= n_ticks; t++) {
        double value = c->x.low + t * c->x.step;
        plot_number(number, sizeof number, value, c->x.step);
        size_t at = (size_t)(pixel_x(c, value) / 2), n = strlen(number);
        if (at + n > (size_t)c->width) at = (size_t)c->width - n;
        if (at < used || at + n >= sizeof line) continue;
        memcpy(line + at, number, n);
        used = at + n + 1;
    }
    line[used] = 0;
    fprintf(out, "\n%10s%s %s\n", "", line, x_label);
}

void plot_terminal(FILE *out, const char *title, const char *x_label, const PlotSeries *s,
                   int n_series, int width, int height, bool ascii)
{
    Canvas c = {.width = width - 10 < 10 ? 10 : width - 10,
                .height = height - 4 < 4 ? 4 : height - 4};
    size_t cells = (size_t)c.width * (size_t)c.height;
    c.dots = NEW(unsigned char, cells);
    c.marks = NEW(char, cells);
    c.x = plot_scale(s, n_series, false, c.width / 12);
    c.y = plot_scale(s, n_series, true, c.height / 3);
    for (int i = 0; i < n_series; i++)
        if (s[i].dots)
            draw_dots(&c, &s[i], i);
        else
            draw_line(&c, &s[i]);
    fprintf(out, "%10s%s\n", "", title);
    print_rows(out, &c, ascii);
    print_x_axis(out, &c, x_label, ascii);
    fprintf(out, "%9s", "");
    for (int i = 0; i < n_series; i++) {
        char mark[2] = {ascii_marks[i % 6], 0};
        const char *line = ascii ? "..." : "\xe2\xa0\xa4\xe2\xa0\xa4";
        fprintf(out, " %s %s  ",
                !s[i].dots ? line
                : ascii    ? mark
                           : braille_marks[i % 4],
                s[i].name);
    }
    fputc('\n', out);
    mem_free(c.dots);
    mem_free(c.marks);
}
