/* See math_words.h. Tables only: a new name is a row. */
#include "rewardsvc/math/math_words.h"

#include <string.h>

#include "rewardsvc/math/math_tree.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define F(name, id)                                                                                \
    {                                                                                              \
        name, TOKEN_FUNCTION, FUNCTION_##id, NULL                                                  \
    }
#define R(name, id)                                                                                \
    {                                                                                              \
        name, TOKEN_RELATION, RELATION_##id, NULL                                                  \
    }
#define T(name, kind)                                                                              \
    {                                                                                              \
        name, TOKEN_##kind, 0, NULL                                                                \
    }
#define SIGN(name, c)                                                                              \
    {                                                                                              \
        name, TOKEN_SIGN + (c), 0, NULL                                                            \
    }
#define NOTHING(name)                                                                              \
    {                                                                                              \
        name, WORD_NOTHING, 0, NULL                                                                \
    }
#define NAME(name)                                                                                 \
    {                                                                                              \
        name, TOKEN_NAME, 0, NULL                                                                  \
    }

/* Functions and Greek letters: with a backslash or without. */
static const Word both[] = {F("sin", SIN),     F("cos", COS),     F("tan", TAN),
                            F("cot", COT),     F("sec", SEC),     F("csc", CSC),
                            F("arcsin", ASIN), F("arccos", ACOS), F("arctan", ATAN),
                            F("arccot", ACOT), F("arcsec", ASEC), F("arccsc", ACSC),
                            F("asin", ASIN),   F("acos", ACOS),   F("atan", ATAN),
                            F("sinh", SINH),   F("cosh", COSH),   F("tanh", TANH),
                            F("exp", EXP),     F("ln", LN),       F("log", LOG),
                            F("gcd", GCD),     F("lcm", LCM),     F("max", MAX),
                            F("min", MIN),     F("floor", FLOOR), F("ceil", CEIL),
                            F("abs", ABS),     F("tg", TAN),      F("ctg", COT),
                            T("pi", PI),       NAME("alpha"),     NAME("beta"),
                            NAME("gamma"),     NAME("delta"),     NAME("epsilon"),
                            NAME("zeta"),      NAME("eta"),       NAME("theta"),
                            NAME("iota"),      NAME("kappa"),     NAME("lambda"),
                            NAME("mu"),        NAME("nu"),        NAME("xi"),
                            NAME("rho"),       NAME("sigma"),     NAME("tau"),
                            NAME("upsilon"),   NAME("phi"),       NAME("chi"),
                            NAME("psi"),       NAME("omega"),     NAME("Gamma"),
                            NAME("Delta"),     NAME("Theta"),     NAME("Lambda"),
                            NAME("Xi"),        NAME("Pi"),        NAME("Sigma"),
                            NAME("Phi"),       NAME("Psi"),       NAME("Omega"),
                            T("sqrt", ROOT),   T("cup", UNION),   T("cap", INTERSECTION)};

static const Word commands[] = {T("frac", FRACTION),
                                T("dfrac", FRACTION),
                                T("tfrac", FRACTION),
                                T("cfrac", FRACTION),
                                T("binom", BINOMIAL),
                                T("dbinom", BINOMIAL),
                                T("tbinom", BINOMIAL),
                                T("overline", OVERLINE),
                                T("bar", OVERLINE),
                                T("infty", INFINITY),
                                T("emptyset", EMPTY_SET),
                                T("varnothing", EMPTY_SET),
                                T("pm", PLUS_MINUS),
                                T("mp", MINUS_PLUS),
                                T("circ", DEGREE),
                                T("degree", DEGREE),
                                T("%", PERCENT),
                                T("bigcup", UNION),
                                T("setminus", WITHOUT),
                                T("backslash", WITHOUT),
                                T("{", SET_OPEN),
                                T("}", SET_CLOSE),
                                T("lbrace", SET_OPEN),
                                T("rbrace", SET_CLOSE),
                                T("langle", ANGLE_OPEN),
                                T("rangle", ANGLE_CLOSE),
                                T("lfloor", FLOOR_OPEN),
                                T("rfloor", FLOOR_CLOSE),
                                T("lceil", CEIL_OPEN),
                                T("rceil", CEIL_CLOSE),
                                T("\\", ROW),
                                T("cr", ROW),
                                T("approx", ABOUT),
                                T("simeq", ABOUT),
                                T("mid", SUCH_THAT),
                                T("colon", SUCH_THAT),
                                T("land", AND),
                                T("lor", OR),
                                T("wedge", AND),
                                T("vee", OR),
                                R("in", IN),
                                R("le", LESS_EQUAL),
                                R("leq", LESS_EQUAL),
                                R("leqslant", LESS_EQUAL),
                                R("ge", GREATER_EQUAL),
                                R("geq", GREATER_EQUAL),
                                R("geqslant", GREATER_EQUAL),
                                R("lt", LESS),
                                R("gt", GREATER),
                                R("ne", UNEQUAL),
                                R("neq", UNEQUAL),
                                R("equiv", EQUAL),
                                {"$", TOKEN_CURRENCY, 0, "dollar"},
                                {"pounds", TOKEN_CURRENCY, 0, "pound"},
                                {"euro", TOKEN_CURRENCY, 0, "euro"},
                                SIGN("times", '*'),
                                SIGN("cdot", '*'),
                                SIGN("ast", '*'),
                                SIGN("div", '/'),
                                SIGN("vert", '|'),
                                SIGN("lvert", '|'),
                                SIGN("rvert", '|'),
                                SIGN("lbrack", '['),
                                SIGN("rbrack", ']'),
                                SIGN("_", '_'),
                                SIGN("&", '&'),
                                {"varepsilon", TOKEN_NAME, 0, "epsilon"},
                                {"vartheta", TOKEN_NAME, 0, "theta"},
                                {"varphi", TOKEN_NAME, 0, "phi"},
                                {"varrho", TOKEN_NAME, 0, "rho"},
                                {"imath", TOKEN_I, 0, NULL},
                                NAME("ell"),
                                T("mathbf", SKIP_STYLE),
                                T("boldsymbol", SKIP_STYLE),
                                T("bm", SKIP_STYLE),
                                T("mathit", SKIP_STYLE),
                                T("mathcal", SKIP_STYLE),
                                T("mathsf", SKIP_STYLE),
                                T("vec", SKIP_STYLE),
                                T("hat", SKIP_STYLE),
                                T("boxed", SKIP_STYLE),
                                T("fbox", SKIP_STYLE),
                                T("begin", BEGIN),
                                T("end", FINISH),
                                {"text", WORD_TEXT_COMMAND, 0, NULL},
                                {"mbox", WORD_TEXT_COMMAND, 0, NULL},
                                {"textbf", WORD_TEXT_COMMAND, 0, NULL},
                                {"textit", WORD_TEXT_COMMAND, 0, NULL},
                                {"textrm", WORD_TEXT_COMMAND, 0, NULL},
                                {"textnormal", WORD_TEXT_COMMAND, 0, NULL},
                                {"hbox", WORD_TEXT_COMMAND, 0, NULL},
                                {"emph", WORD_TEXT_COMMAND, 0, NULL},
                                {"mathrm", WORD_NAMED_COMMAND, 0, NULL},
                                {"operatorname", WORD_NAMED_COMMAND, 0, NULL},
                                {"mathbb", WORD_NAMED_COMMAND, 0, NULL},
                                {"rm", WORD_NOTHING, 0, NULL},
                                NOTHING("left"),
                                NOTHING("right"),
                                NOTHING("middle"),
                                NOTHING("big"),
                                NOTHING("Big"),
                                NOTHING("bigg"),
                                NOTHING("Bigg"),
                                NOTHING("bigl"),
                                NOTHING("bigr"),
                                NOTHING("Bigl"),
                                NOTHING("Bigr"),
                                NOTHING("biggl"),
                                NOTHING("biggr"),
                                NOTHING("Biggl"),
                                NOTHING("Biggr"),
                                NOTHING("displaystyle"),
                                NOTHING("textstyle"),
                                NOTHING("limits"),
                                NOTHING("nolimits"),
                                NOTHING("quad"),
                                NOTHING("qquad"),
                                NOTHING("!"),
                                NOTHING(","),
                                NOTHING(";"),
                                NOTHING(":"),
                                NOTHING(">"),
                                NOTHING(" "),
                                NOTHING("thinspace"),
                                NOTHING("medspace"),
                                NOTHING("/"),
                                NOTHING("("),
                                NOTHING(")"),
                                NOTHING("["),
                                NOTHING("]"),
                                NOTHING("hline"),
                                NOTHING("angle"),
                                NOTHING("triangle"),
                                T("overrightarrow", SKIP_STYLE),
                                NOTHING("bf"),
                                NOTHING("it"),
                                NOTHING("space"),
                                NOTHING("nobreakspace")};

static const Word plain[] = {T("and", AND),
                             T("or", OR),
                             T("union", UNION),
                             T("infinity", INFINITY),
                             T("Infinity", INFINITY),
                             T("inf", INFINITY),
                             T("infty", INFINITY),
                             T("oo", INFINITY),
                             T("i", I),
                             T("e", EULER),
                             R("in", IN),
                             T("deg", DEGREE),
                             T("degree", DEGREE),
                             T("degrees", DEGREE),
                             T("percent", PERCENT),
                             {"the", TOKEN_TEXT, 0, NULL},
                             {"is", TOKEN_TEXT, 0, NULL},
                             {"are", TOKEN_TEXT, 0, NULL},
                             {"all", TOKEN_TEXT, 0, NULL},
                             {"no", TOKEN_TEXT, 0, NULL},
                             {"yes", TOKEN_TEXT, 0, NULL},
                             {"not", TOKEN_TEXT, 0, NULL},
                             {"odd", TOKEN_TEXT, 0, NULL},
                             {"per", TOKEN_TEXT, 0, NULL},
                             {"sq", TOKEN_TEXT, 0, NULL}};

/* ASCII first: the longest of those that begin alike. */
static const Word signs[] = {R("<=", LESS_EQUAL),
                             R(">=", GREATER_EQUAL),
                             R("!=", UNEQUAL),
                             R("==", EQUAL),
                             R(":=", EQUAL),
                             R("<", LESS),
                             R(">", GREATER),
                             R("=", EQUAL),
                             SIGN("**", '^'),
                             T("+-", PLUS_MINUS),
                             T("+/-", PLUS_MINUS),
                             T("%", PERCENT),
                             R("\u2264", LESS_EQUAL),
                             R("\u2265", GREATER_EQUAL),
                             R("\u2260", UNEQUAL),
                             R("\u2208", IN),
                             R("\u2a7d", LESS_EQUAL),
                             R("\u2a7e", GREATER_EQUAL),
                             T("\u2248", ABOUT),
                             T("\u03c0", PI),
                             T("\u221e", INFINITY),
                             T("\u2205", EMPTY_SET),
                             T("\u221a", ROOT),
                             T("\u00b1", PLUS_MINUS),
                             T("\u2213", MINUS_PLUS),
                             T("\u00b0", DEGREE),
                             T("\u222a", UNION),
                             T("\u2229", INTERSECTION),
                             T("\u2216", WITHOUT),
                             T("\u27e8", ANGLE_OPEN),
                             T("\u27e9", ANGLE_CLOSE),
                             T("\u230a", FLOOR_OPEN),
                             T("\u230b", FLOOR_CLOSE),
                             T("\u2308", CEIL_OPEN),
                             T("\u2309", CEIL_CLOSE),
                             T("\u211d", REALS),
                             SIGN("\u2212", '-'),
                             SIGN("\u2013", '-'),
                             SIGN("\u2014", '-'),
                             SIGN("\u00d7", '*'),
                             SIGN("\u00b7", '*'),
                             SIGN("\u22c5", '*'),
                             SIGN("\u2217", '*'),
                             SIGN("\u00f7", '/'),
                             SIGN("\u2044", '/'),
                             SIGN("\u2215", '/'),
                             SIGN("\uff0c", ','),
                             SIGN("\u2032", '\''),
                             {"\u20ac", TOKEN_CURRENCY, 0, "euro"},
                             {"\u00a3", TOKEN_CURRENCY, 0, "pound"},
                             {"\u00a5", TOKEN_CURRENCY, 0, "yen"},
                             {"\u2070", TOKEN_POWER_OF, 0, NULL},
                             {"\u00b9", TOKEN_POWER_OF, 1, NULL},
                             {"\u00b2", TOKEN_POWER_OF, 2, NULL},
                             {"\u00b3", TOKEN_POWER_OF, 3, NULL},
                             {"\u2074", TOKEN_POWER_OF, 4, NULL},
                             {"\u2075", TOKEN_POWER_OF, 5, NULL},
                             {"\u2076", TOKEN_POWER_OF, 6, NULL},
                             {"\u2077", TOKEN_POWER_OF, 7, NULL},
                             {"\u2078", TOKEN_POWER_OF, 8, NULL},
                             {"\u2079", TOKEN_POWER_OF, 9, NULL},
                             {"\u00bd", TOKEN_HALVES, 102, NULL},
                             {"\u2153", TOKEN_HALVES, 103, NULL},
                             {"\u2154", TOKEN_HALVES, 203, NULL},
                             {"\u00bc", TOKEN_HALVES, 104, NULL},
                             {"\u00be", TOKEN_HALVES, 304, NULL},
                             {"\u03b1", TOKEN_NAME, 0, "alpha"},
                             {"\u03b2", TOKEN_NAME, 0, "beta"},
                             {"\u03b3", TOKEN_NAME, 0, "gamma"},
                             {"\u03b8", TOKEN_NAME, 0, "theta"},
                             {"\u03bb", TOKEN_NAME, 0, "lambda"},
                             {"\u03bc", TOKEN_NAME, 0, "mu"},
                             {"\u03c3", TOKEN_NAME, 0, "sigma"},
                             {"\u03c6", TOKEN_NAME, 0, "phi"},
                             {"\u03c9", TOKEN_NAME, 0, "omega"},
                             {"\u00a0", WORD_SPACE, 0, NULL},
                             {"\u2009", WORD_SPACE, 0, NULL},
                             {"\u202f", WORD_SPACE, 0, NULL}};

bool span_is(Span s, const char *word)
{
    return s.p && strlen(word) == s.n && memcmp(word, s.p, s.n) == 0;
}

static const Word *find(const Word *rows, size_t n, Span s)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].word[0] == s.p[0] && span_is(s, rows[i].word)) return &rows[i];
    return NULL;
}

const Word *word_command(Span name)
{
    const Word *w = find(both, COUNT(both), name);
    return w ? w : find(commands, COUNT(commands), name);
}

const Word *word_plain(Span run)
{
    const Word *w = find(both, COUNT(both), run);
    return w ? w : find(plain, COUNT(plain), run);
}

const Word *word_prefix(Span run)
{
    if (run.n < 3) return NULL;
    const Word *w = find(both, COUNT(both), (Span){run.p, run.n - 1});
    return w && (w->kind == TOKEN_FUNCTION || w->kind == TOKEN_PI) ? w : NULL;
}

const Word *word_sign(Span s)
{
    for (size_t i = 0; i < COUNT(signs); i++) {
        size_t n = strlen(signs[i].word);
        if (signs[i].word[0] == s.p[0] && s.n >= n && memcmp(s.p, signs[i].word, n) == 0)
            return &signs[i];
    }
    return NULL;
}
