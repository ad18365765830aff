"""What notebook 18 shows."""

from elsa_nb.paper.measures.exhibit import Exhibit

_NOTEBOOK = "18-equal-budgets"
EXHIBITS = (
    Exhibit("equal-curves", "Discovery against labels, at equal budgets", "beyond the paper", _NOTEBOOK),
    Exhibit("equal-overheads", "Labels per find at shares of a class", "beyond the paper", _NOTEBOOK),
    Exhibit("equal-ratios", "Labels of every searcher, Harvest's are 1", "beyond the paper", _NOTEBOOK),
    Exhibit("equal-texts", "Labels per find on texts, with more labels", "beyond the paper", _NOTEBOOK),
    Exhibit("equal-rare", "Labels per find in rare classes", "beyond the paper", _NOTEBOOK),
    Exhibit("equal-goals", "Harvest against its goals", "beyond the paper", _NOTEBOOK),
    Exhibit("equal-forms", "Classes of two forms", "beyond the paper", _NOTEBOOK),
    Exhibit("equal-beginning", "Finds among the first ten labels", "beyond the paper", _NOTEBOOK),
    Exhibit("equal-five", "Labels per find from five examples", "beyond the paper", _NOTEBOOK),
    Exhibit("equal-stages", "What vectors with the encoder's stages save", "beyond the paper", _NOTEBOOK),
    Exhibit("equal-parts", "What each part of Harvest is worth", "beyond the paper", _NOTEBOOK),
)
