"""Prints the golden values of tests/common/test_association.c: scipy, numpy, scikit-learn."""
import numpy as np
from scipy import stats
from sklearn.metrics import cohen_kappa_score

x = [0.3, 1.5, -2.0, 7.25, 0.3, 4.0, 1e3, -5.5]
y = [1, 0, 2, 2, 5, -1, 3, 2.5]
print("pearson %.17g spearman %.17g" % (stats.pearsonr(x, y)[0], stats.spearmanr(x, y)[0]))
print("pearson of large numbers %.17g" % stats.pearsonr([1e9 + v for v in (1, 2, 3, 4, 5.5)], [2, 1, 4, 3, 7])[0])
print("ranks", stats.rankdata(x).tolist(), stats.rankdata(y).tolist())
print("quantiles", [float(np.quantile(x, q)) for q in (0, 0.05, 0.25, 0.5, 0.9, 1)])
for both in ((20, 5, 10, 15), (45, 15, 25, 15)):  # yes-yes, yes-no, no-yes, no-no
    first = np.repeat([1, 1, 0, 0], both)
    second = np.repeat([1, 0, 1, 0], both)
    print("kappa %.17g" % cohen_kappa_score(first, second))
