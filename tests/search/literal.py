"""The paper's Algorithms 1-4 once more: slow, literal, and sharing no code with the product.

Sets are Python sets and lists, the neighbour search is a full matrix of float64 MSEs, the head is fitted by a plain
Newton iteration or by AdamW written from its paper. What the text leaves open is decided as named in each function.

Randomness is drawn from the Generator in the order that the product documents:
- RandS: `rng.choice(rows above the threshold in ascending order, size=min(l, how many there are), replace=False)`,
  and nothing if there are none;
- the AdamW head: first weights, first bias (both uniform in +-1/sqrt(d)), then in each step the positives' and the
  negatives' places in the batch by `rng.integers`.

A `Run` tells beside its log how close the closest decision was: the product scores in float32, so a score that
lies within rounding of the threshold, or of the next score of the final list, proves nothing either way.
"""

import math
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

NN, RANDS, FINAL = "NN", "RandS", "final"
POSITIVE, NEGATIVE = 1, 0


@dataclass
class Run:
    """What a search asked, in order, as (row, component, round, label), and its narrowest decision."""

    log: list = field(default_factory=list)
    margin: float = math.inf

    def decide(self, gap):
        self.margin = min(self.margin, abs(gap))

    def ask(self, rows, component_of, round_number, oracle):
        """Put `rows` to the oracle; return the positive and the negative ones (gamma+, gamma-)."""
        labels = [int(label) for label in oracle.label(np.array(rows))]
        self.log += [(row, component_of[row], round_number, label) for row, label in zip(rows, labels, strict=True)]
        return (
            [row for row, label in zip(rows, labels, strict=True) if label == POSITIVE],
            [row for row, label in zip(rows, labels, strict=True) if label == NEGATIVE],
        )


def mse_matrix(vectors):
    """M_ij = MSE(z_i, z_j) of all pairs (Algorithm 1, line 2), as lists."""
    z = np.asarray(vectors, dtype=np.float64)
    total = np.zeros((len(z), len(z)))
    for j in range(z.shape[1]):
        total += (z[:, j][:, None] - z[:, j][None, :]) ** 2
    return (total / z.shape[1]).tolist()


def algorithm_1(mse, queries, a, may_return, excluding_itself=False):
    """NN(queries, a): every point's smallest MSE to a query, sorted ascending; the first `a` points.

    Ties break by row number. A point counts as its own neighbour at 0 unless `excluding_itself` (appendix B).
    """
    reach = []
    for i, row_of_i in enumerate(mse):
        if not may_return(i):
            continue
        to_queries = [row_of_i[q] for q in queries if not (excluding_itself and q == i)]
        if to_queries:
            reach.append((min(to_queries), i))
    return [i for _, i in sorted(reach)[:a]]


def algorithm_2(mse, likely, l, b, may_return, rng, excluding_itself):  # noqa: E741 - the paper's letter
    """RandS(L, b): l random points of L (Algorithm 2, line 1), then NN of them (line 3)."""
    if not likely:
        return []
    sampled = rng.choice(np.array(sorted(likely)), size=min(l, len(likely)), replace=False).tolist()
    return algorithm_1(mse, sampled, b, may_return, excluding_itself)


def algorithm_3(run, confidences, alpha, may_return):
    """Sampler(D): the points with S_i > Mean(H) + alpha Std(H), where H are all points' confidences."""
    n = len(confidences)
    mean = sum(confidences) / n
    std = math.sqrt(sum((s - mean) ** 2 for s in confidences) / n)
    threshold = mean + alpha * std
    for i in range(n):
        if may_return(i):
            run.decide(confidences[i] - threshold)
    return [i for i in range(n) if confidences[i] > threshold and may_return(i)]


def most_confident_first(run, vectors, confidences, rows):
    """Order rows by confidence, descending, then by row. Identical vectors tie, whatever rounding says."""
    ordered = sorted(rows, key=lambda i: (-confidences[i], i))
    for i, j in pairwise(ordered):
        if not np.array_equal(vectors[i], vectors[j]):
            run.decide(confidences[i] - confidences[j])
    return ordered


def unit_variance(vectors):
    """Return what the head sees: vectors centred, and divided by one number so that their mean variance is 1."""
    z = np.asarray(vectors, dtype=np.float64)
    centred = z - sum(z) / len(z)
    variance = float((centred**2).sum()) / centred.size
    return centred / math.sqrt(variance) if variance > 0 else centred


def sigmoid(x):
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def probabilities(x, head):
    weights, bias = head
    return [sigmoid(sum(w * v for w, v in zip(weights, row, strict=True)) + bias) for row in x.tolist()]


def fit_logistic(x, positives, negatives, l2):
    """Minimise sum_i c_i log(1 + exp(-y_i (w.x_i + b))) + l2 |w|^2 / 2, with c_i = m / (2 m_class), by Newton."""
    rows = list(positives) + list(negatives)
    y = np.array([1.0] * len(positives) + [-1.0] * len(negatives))
    c = np.array([len(y) / (2 * (len(positives) if s > 0 else len(negatives))) for s in y])
    design = np.column_stack([x[rows], np.ones(len(rows))])
    ridge = np.array([l2] * x.shape[1] + [0.0])

    def objective(theta):
        return float((c * np.log1p(np.exp(-y * (design @ theta)))).sum() + (ridge * theta**2).sum() / 2)

    theta = np.zeros(design.shape[1])
    for _ in range(200):
        wrongness = 1 / (1 + np.exp(y * (design @ theta)))
        gradient = -(design.T @ (c * y * wrongness)) + ridge * theta
        if abs(gradient).max() < 1e-11 * len(rows):
            break
        hessian = design.T @ np.diag(c * wrongness * (1 - wrongness)) @ design + np.diag(ridge)
        step = np.linalg.solve(hessian, gradient)
        size = 1.0
        while objective(theta - size * step) > objective(theta) + 1e-13 and size > 1e-9:
            size /= 2
        theta = theta - size * step
    assert abs(gradient).max() < 1e-9 * len(rows), "the literal logistic regression did not converge"
    return theta[:-1].tolist(), float(theta[-1])


def fit_adamw(x, positives, negatives, rng, head, steps, learning_rate, weight_decay):
    """Train one linear layer by AdamW (Loshchilov & Hutter 2019, algorithm 2) on small balanced batches.

    4, 8 or 16 of each class, by the number of positives; `head` None: a new layer, else its weights go on.
    """
    d = x.shape[1]
    if head is None:
        bound = 1 / math.sqrt(d)
        first_weights = rng.uniform(-bound, bound, d)
        head = first_weights.tolist(), float(rng.uniform(-bound, bound))
    theta = [*head[0], head[1]]
    of_each = 4 if len(positives) < 8 else 8 if len(positives) < 16 else 16
    m, v = [0.0] * (d + 1), [0.0] * (d + 1)
    plus, minus = x[positives].tolist(), x[negatives].tolist()
    for t in range(1, steps + 1):
        batch = [(plus[i], 1.0) for i in rng.integers(len(plus), size=of_each)]
        batch += [(minus[i], 0.0) for i in rng.integers(len(minus), size=of_each)]
        gradient = [0.0] * (d + 1)
        for z, target in batch:
            error = sigmoid(sum(w * value for w, value in zip(theta[:-1], z, strict=True)) + theta[-1]) - target
            for j in range(d):
                gradient[j] += error * z[j] / len(batch)
            gradient[d] += error / len(batch)
        for j in range(d + 1):
            m[j] = 0.9 * m[j] + 0.1 * gradient[j]
            v[j] = 0.999 * v[j] + 0.001 * gradient[j] ** 2
            m_hat, v_hat = m[j] / (1 - 0.9**t), v[j] / (1 - 0.999**t)
            theta[j] -= learning_rate * (m_hat / (math.sqrt(v_hat) + 1e-8) + weight_decay * theta[j])
    return theta[:-1], theta[-1]


def paper(vectors, seeds, oracle, rng, *, arm, rounds, a, l, b, alpha_1, alpha_2, l2):  # noqa: E741
    """Algorithm 4 in the `paper` reading (paper-notes section 3); `arm` is "ELSA", "No Active" or "NN".

    The points the text leaves open, by their number there: `a` a total (1); queries are the last round's
    positives (2); a labelled row is never asked again (3); after a round without new positives NN stops, the others
    go on from all positives (4); RandS by Algorithm 2 (5); b = max(b, positives, seeds included) (6); the head is
    trained on all positives and this round's negatives, those of the round before if this one has none (9); before
    there is a head, and always in No Active, RandS draws from all rows never asked (10); No Active trains its head
    once, for the final search; an arm whose head never saw both classes has no final search.
    """
    run = Run()
    n, mse, x = len(vectors), mse_matrix(vectors), unit_variance(vectors)
    asked = set(seeds)
    positives = list(seeds)  # Lambda
    queries = list(seeds)  # line 1
    last_negatives, head, i = [], None, 0

    def never_asked(row):
        return row not in asked

    while i < rounds:  # line 2
        nearest = algorithm_1(mse, queries, a, never_asked)  # line 3
        random = []
        if arm != "NN":
            if arm == "ELSA" and head is not None:
                likely = algorithm_3(run, probabilities(x, head), alpha_1, never_asked)  # line 4
            else:
                likely = [row for row in range(n) if never_asked(row)]
            size = max(b, len(positives))
            random = algorithm_2(mse, likely, l, size, never_asked, rng, excluding_itself=True)  # line 5
        gamma = nearest + [row for row in random if row not in nearest]  # line 6
        if not gamma:  # every row is labelled
            break
        source = {row: NN if row in nearest else RANDS for row in gamma}
        gamma_plus, gamma_minus = run.ask(gamma, source, i, oracle)  # line 7
        asked |= set(gamma)
        positives += gamma_plus  # line 8
        last_negatives = gamma_minus or last_negatives
        if arm == "ELSA" and last_negatives:
            head = fit_logistic(x, positives, last_negatives, l2)  # line 9
        i += 1
        if not gamma_plus and arm == "NN":
            break
        queries = gamma_plus or positives  # line 10
    if arm == "No Active" and last_negatives:
        head = fit_logistic(x, positives, last_negatives, l2)
    if arm == "NN" or head is None:
        return run
    confidences = probabilities(x, head)
    final = most_confident_first(run, vectors, confidences, algorithm_3(run, confidences, alpha_2, never_asked))
    if final:
        run.ask(final, dict.fromkeys(final, FINAL), i, oracle)  # lines 13-14
    return run


def released_code(
    vectors,
    seeds,
    oracle,
    rng,
    *,
    arm,
    rounds,
    a,
    l,  # noqa: E741
    b,
    alpha_1,
    alpha_2,
    embedding,
    steps,
    final_steps,
):
    """Algorithm 4 as the authors' public code is known to behave (paper-notes section 4).

    - A zero pass before the rounds: neighbours of the seeds, which are not excluded and so are asked and count as
      found, and b rows near l random ones.
    - NN starts from all neighbours returned in the previous round, negatives included; only known positives are
      barred, so earlier negatives come back at distance 0 and are labelled, and counted, again.
    - NN stops after the first round that finds no positive.
    - RandS returns the nearest rows, the sampled ones included; after the zero pass b = positives found.
    - The head is one linear layer on the embedding, trained by AdamW (5e-4, decay 0.05) after each round on all
      positives and the last round's negatives, skipped below four positives. Until it is trained, and always in
      No Active, RandS draws from the unlabelled rows. No Active trains one head, at the end, for longer.
    - The final search asks all rows above its threshold, also those labelled before.
    - What was once found positive stays so.
    """
    run = Run()
    n, mse, x = len(vectors), mse_matrix(vectors), unit_variance(embedding)
    positives, labelled = list(seeds), set(seeds)
    queries = list(seeds)
    last_negatives, head, i = [], None, 0

    def anything(row):
        return True

    def not_positive(row):
        return row not in positives

    def trained(head, how_long):
        if len(positives) < 4 or not last_negatives:
            return head
        return fit_adamw(x, sorted(positives), last_negatives, rng, head, how_long, 5e-4, 0.05)

    while i < 1 + rounds:
        may_return = anything if i == 0 else not_positive
        nearest = algorithm_1(mse, queries, a, may_return)
        random = []
        if arm != "NN":
            if head is None:
                likely = [row for row in range(n) if row not in labelled]
            else:
                likely = algorithm_3(run, probabilities(x, head), alpha_1, may_return)
            size = b if i == 0 else len(positives)
            random = algorithm_2(mse, likely, l, size, may_return, rng, excluding_itself=False)
        gamma = nearest + [row for row in random if row not in nearest]
        if not gamma:
            break
        source = {row: NN if row in nearest else RANDS for row in gamma}
        gamma_plus, gamma_minus = run.ask(gamma, source, i, oracle)
        labelled |= set(gamma)
        positives += [row for row in gamma_plus if row not in positives]
        last_negatives = gamma_minus or last_negatives
        if arm == "ELSA":
            head = trained(head, steps)
        i += 1
        if not gamma_plus and arm == "NN":
            break
        queries = nearest
    if arm == "No Active":
        head = trained(head, final_steps)
    if arm == "NN" or head is None:
        return run
    confidences = probabilities(x, head)
    final = most_confident_first(run, vectors, confidences, algorithm_3(run, confidences, alpha_2, anything))
    if final:
        run.ask(final, dict.fromkeys(final, FINAL), i, oracle)
    return run
