/* Pure formulas that judges need and no shape has. */
#ifndef REWARDSVC_SHAPING_H
#define REWARDSVC_SHAPING_H

/* The probability of the right one of n options by a model's logits of them (a softmax over the
 * options alone): the listener's p, GenRM's p(yes). Source: specification 1, section 20. */
double shaping_option_probability(const double *logits, int n, int right);

#endif
