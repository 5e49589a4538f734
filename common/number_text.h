/* Numbers as text. */
#ifndef COMMON_NUMBER_TEXT_H
#define COMMON_NUMBER_TEXT_H

/* The shortest decimal that reads back as the same double: what was written. */
void number_text(double x, char out[32]);

#endif
