/* Instructions about the layout of a text: lists, sections, marks, blocks (instruction.h). */
#include <string.h>

#include "rewardsvc/fence.h"
#include "rewardsvc/instruction.h"
#include "rewardsvc/json_text.h"
#include "rewardsvc/words.h"

static Span strip_left(Span line)
{
    for (Span rest = line; rest.n > 0 && character_is_space(char_take(&rest));) line = rest;
    return line;
}

/* How many lines, without the white space before them, look so. */
static long lines_like(Span text, bool (*like)(Span line))
{
    long n = 0;
    for (Span line; line_next(&text, &line);) n += like(strip_left(line));
    return n;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t digits_at(Span s)
{
    size_t n = 0;
    while (n < s.n && is_digit(s.p[n])) n++;
    return n;
}

/* ---- lists, headings, tables ---- */

/* "* x" but not "** x"; "-" with anything behind it. */
static bool is_bullet(Span line)
{
    return line.n > 0 && (line.p[0] == '-' || (line.n > 1 && line.p[0] == '*' && line.p[1] != '*'));
}

static bool bullets(const Passage *p, const InstructionValue *v)
{
    return relation_holds(lines_like(p->text, is_bullet), v[0].relation, v[1].count);
}

static bool is_numbered(Span line)
{
    size_t n = digits_at(line);
    return n > 0 && n + 1 < line.n && (line.p[n] == '.' || line.p[n] == ')') &&
           line.p[n + 1] == ' ';
}

static bool numbered_list(const Passage *p, const InstructionValue *v)
{
    return relation_holds(lines_like(p->text, is_numbered), v[0].relation, v[1].count);
}

static bool is_heading(Span line)
{
    size_t n = 0;
    while (n < line.n && line.p[n] == '#') n++;
    return n >= 1 && n <= 6 && n < line.n && line.p[n] == ' ';
}

static bool headings(const Passage *p, const InstructionValue *v)
{
    return relation_holds(lines_like(p->text, is_heading), v[0].relation, v[1].count);
}

static long cells_in(Span line)
{
    line = text_strip(line);
    if (line.n > 0 && line.p[0] == '|') line.p++, line.n--;
    if (line.n > 0 && line.p[line.n - 1] == '|') line.n--;
    return 1 + span_count(line, "|");
}

/* The row under a table's head: "|---|:-:|". */
static bool is_table_rule(Span line)
{
    bool dash = false, bar = false;
    for (size_t i = 0; i < line.n; i++) {
        char c = line.p[i];
        dash |= c == '-', bar |= c == '|';
        if (c != '-' && c != '|' && c != ':' && c != ' ' && c != '\r') return false;
    }
    return dash && bar;
}

static bool table(const Passage *p, const InstructionValue *v)
{
    Span rest = p->text, line, head = {NULL, 0};
    for (; line_next(&rest, &line); head = line) {
        if (!head.p || !is_table_rule(line) || cells_in(line) != cells_in(head)) continue;
        if (relation_holds(cells_in(line), v[0].relation, v[1].count)) return true;
    }
    return false;
}

static bool code_blocks(const Passage *p, const InstructionValue *v)
{
    Span rest = p->text;
    long n = 0;
    while (fence_next(&rest, NULL).p) n++;
    return relation_holds(n, v[0].relation, v[1].count);
}

static bool line_prefix(const Passage *p, const InstructionValue *v)
{
    Span rest = p->text;
    for (Span line; line_next(&rest, &line);)
        if (text_strip(line).n > 0 && !span_begins(strip_left(line), v[0].text)) return false;
    return true;
}

/* ---- sections, highlights, placeholders, title, postscript ---- */

/* The word, one blank or none, a number. */
static bool sections(const Passage *p, const InstructionValue *v)
{
    Span rest = p->text;
    long n = 0;
    while (part_next(&rest, v[0].text, false, p->text.p)) {
        Span after = rest;
        if (after.n > 0 && character_is_space(char_take(&after)))
            n += digits_at(after) > 0;
        else
            n += digits_at(rest) > 0;
    }
    return relation_holds(n, v[1].relation, v[2].count);
}

/* How many "*text*" (width 1) or "**text**" (width 2) there are, found from left to right, whose
 * text is no white space; it has no line end and no star. */
static long stars(Span text, size_t width)
{
    long n = 0;
    size_t i = 0;
    while (i + width < text.n) {
        size_t k = i + width;
        if (text.p[i] != '*' || text.p[k - 1] != '*') {
            i++;
            continue;
        }
        while (k < text.n && text.p[k] != '*' && text.p[k] != '\n') k++;
        bool closed = k + width <= text.n && text.p[k] == '*' && text.p[k + width - 1] == '*';
        if (closed) n += text_strip((Span){text.p + i + width, k - i - width}).n > 0;
        i = closed ? k + width : i + 1;
    }
    return n;
}

static bool highlights(const Passage *p, const InstructionValue *v)
{
    return relation_holds(stars(p->text, 1) + stars(p->text, 2), v[0].relation, v[1].count);
}

/* [anything in one line], the shortest. */
static bool placeholders(const Passage *p, const InstructionValue *v)
{
    Span rest = p->text, line;
    long n = 0;
    while (line_next(&rest, &line)) {
        for (Span at; (at = span_find(line, "[")).p;) {
            line = span_after(line, at);
            Span end = span_find(line, "]");
            if (!end.p) break;
            line = span_after(line, end);
            n++;
        }
    }
    return relation_holds(n, v[0].relation, v[1].count);
}

static bool title(const Passage *p, const InstructionValue *v)
{
    (void)v;
    Span rest = p->text, line;
    while (line_next(&rest, &line)) {
        Span open = span_find(line, "<<");
        if (!open.p) continue;
        Span inside = span_after(line, open), close = span_find_last(inside, ">>");
        if (!close.p) continue;
        inside.n = (size_t)(close.p - inside.p);
        while (inside.n > 0 && *inside.p == '<') inside.p++, inside.n--;
        while (inside.n > 0 && inside.p[inside.n - 1] == '>') inside.n--;
        if (text_strip(inside).n > 0) return true;
    }
    return false;
}

/* The parts one after another, each but the first with a white space before it or none. */
static bool parts_found(Span text, const char *const *parts)
{
    for (Span at; (at = span_find(text, parts[0])).p;) {
        Span rest = text = span_after(text, at);
        int i = 1;
        for (; parts[i]; i++) {
            Span next = rest;
            if (next.n > 0 && character_is_space(char_take(&next))) rest = next;
            if (!span_begins(rest, span_of(parts[i]))) break;
            rest = span_after(rest, (Span){rest.p, strlen(parts[i])});
        }
        if (!parts[i]) return true;
    }
    return false;
}

/* P.S. and P.P.S with blanks between or not; any other marker as it is, case aside. */
static bool postscript(const Passage *p, const InstructionValue *v)
{
    static const char *const ps[] = {"p.", "s.", NULL}, *const pps[] = {"p.", "p.", "s", NULL};
    Span rest = p->lower;
    if (span_same(v[0].text, span_of("P.S."))) return parts_found(p->lower, ps);
    if (span_same(v[0].text, span_of("P.P.S"))) return parts_found(p->lower, pps);
    return part_next(&rest, v[0].lower, false, p->lower.p);
}

/* ---- the text as a whole ---- */

static bool json(const Passage *p, const InstructionValue *v)
{
    (void)v;
    static const char *const fences[] = {"```json", "```Json", "```JSON", "```"};
    Span s = text_strip(p->text), end = span_of("```");
    for (int i = 0; i < 4; i++) {
        Span fence = span_of(fences[i]);
        if (!span_begins(s, fence)) continue;
        s = span_after(s, (Span){s.p, fence.n});
        break;
    }
    if (span_ends(s, end)) s.n -= end.n;
    json_t *value;
    bool good = json_text_read(text_strip(s), &value) == JSON_TEXT_FINE;
    json_decref(value);
    return good;
}

static bool quoted(const Passage *p, const InstructionValue *v)
{
    (void)v;
    Span s = text_strip(p->text);
    return s.n > 1 && s.p[0] == '"' && s.p[s.n - 1] == '"';
}

static bool two_responses(const Passage *p, const InstructionValue *v)
{
    (void)v;
    Span rest = p->text, found[2];
    long n = 0, i = 0;
    for (Span piece; piece_next(&rest, "******", &piece); i++) {
        piece = text_strip(piece);
        if (piece.n == 0 && i > 0 && rest.p) return false;
        if (piece.n == 0) continue;
        if (n == 2) return false;
        found[n++] = piece;
    }
    return n == 2 && !span_same(found[0], found[1]);
}

/* Deepest nest of () [] {} that are closed in order. */
static bool nesting(const Passage *p, const InstructionValue *v)
{
    enum { DEEPEST = 256 };
    static const char opens[] = "([{", closes[] = ")]}";
    struct {
        char mark;
        int below; /* depth of what it holds */
    } stack[DEEPEST + 1] = {{0, 0}};
    int n = 0, deepest = 0;
    for (size_t i = 0; i < p->text.n; i++) {
        char c = p->text.p[i];
        const char *open = c ? strchr(opens, c) : NULL, *close = c ? strchr(closes, c) : NULL;
        if (open && n < DEEPEST) {
            n++;
            stack[n].mark = closes[open - opens];
            stack[n].below = 0;
        }
        if (!close || n == 0 || stack[n].mark != c) continue;
        int depth = 1 + stack[n--].below;
        if (depth > stack[n].below) stack[n].below = depth;
        if (depth > deepest) deepest = depth;
    }
    return relation_holds(deepest, v[0].relation, v[1].count);
}

const InstructionKind instructions_layout[] = {
    {"bullets",
     "detectable_format:number_bullet_lists",
     "so many lines that begin with * or -",
     {RELATION(NULL, "exactly"), COUNT("num_bullets", NULL)},
     bullets},
    {"numbered_list",
     NULL,
     "so many lines that begin with a number and . or )",
     {RELATION(NULL, "exactly"), COUNT(NULL, NULL)},
     numbered_list},
    {"headings",
     NULL,
     "so many headings (#)",
     {RELATION(NULL, "exactly"), COUNT(NULL, NULL)},
     headings},
    {"table",
     NULL,
     "a table (Markdown) with so many columns",
     {RELATION(NULL, "exactly"), COUNT(NULL, NULL)},
     table},
    {"code_blocks",
     NULL,
     "so many fenced blocks",
     {RELATION(NULL, "exactly"), COUNT(NULL, NULL)},
     code_blocks},
    {"line_prefix",
     NULL,
     "every line that is not empty begins with the text",
     {{"text", NULL, PARAM_TEXT, NULL}},
     line_prefix},
    {"sections",
     "detectable_format:multiple_sections",
     "so many sections that begin with the word and a number",
     {{"word", "section_spliter", PARAM_TEXT, NULL},
      RELATION(NULL, "at least"),
      COUNT("num_sections", NULL)},
     sections},
    {"highlights",
     "detectable_format:number_highlighted_sections",
     "so many places *highlighted* or **highlighted**",
     {RELATION(NULL, "at least"), COUNT("num_highlights", NULL)},
     highlights},
    {"placeholders",
     "detectable_content:number_placeholders",
     "so many [placeholders]",
     {RELATION(NULL, "at least"), COUNT("num_placeholders", NULL)},
     placeholders},
    {"title", "detectable_format:title", "a title in <<double angular brackets>>", {{0}}, title},
    {"postscript",
     "detectable_content:postscript",
     "a postscript that begins with the marker",
     {{"marker", "postscript_marker", PARAM_TEXT, NULL}},
     postscript},
    {"json", "detectable_format:json_format", "the text is JSON, in a fence or not", {{0}}, json},
    {"quoted", "startend:quotation", "the text is in double quotes", {{0}}, quoted},
    {"two_responses",
     "combination:two_responses",
     "two different texts with ****** between them",
     {{0}},
     two_responses},
    {"nesting",
     NULL,
     "brackets in one another, so deep",
     {RELATION(NULL, "at least"), COUNT(NULL, NULL)},
     nesting},
    {NULL, NULL, NULL, {{0}}, NULL},
};
