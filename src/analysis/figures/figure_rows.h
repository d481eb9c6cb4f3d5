// What each figure is made of; the table in figures.cpp names them.
#pragma once

#include <span>

#include "labelprobe/analysis/figures.h"

namespace labelprobe::analysis {

// Label steps (Figures 2, 3, 8 and 9): a row per item, step and series. `second_rows` and
// `probability_rows` have for each step a row of the series "same" as well, whose value is the
// share of steps whose second label is the likeliest next.
FigureRows top_rows(std::span<const NamedRuns> runs, const FigureOptions& options);
FigureRows second_rows(std::span<const NamedRuns> runs, const FigureOptions& options);
FigureRows probability_rows(std::span<const NamedRuns> runs, const FigureOptions& options);
FigureRows entropy_rows(std::span<const NamedRuns> runs, const FigureOptions& options);

// When the second label of a step is the likeliest at a later one (Figure 10).
FigureRows later_rows(std::span<const NamedRuns> runs, const FigureOptions& options);

// Probabilities of the first step, largest first (Figure 4).
FigureRows spikiness_rows(std::span<const NamedRuns> runs, const FigureOptions& options);

// Accuracy of the first and the second label listed (Figure 5): mean and deviation over the
// experiments of a folder, which are its seeds.
FigureRows label_order_rows(std::span<const NamedRuns> runs, const FigureOptions& options);

// Share of answers with several labels, by that of the demonstrations (Figure 6); likewise.
FigureRows multilabel_icl_rows(std::span<const NamedRuns> runs, const FigureOptions& options);

// Binary comparisons by probabilities and by outcomes (Figure 7): every metric of the paper.
FigureRows binary_rows(std::span<const NamedAlignment> tables);

// NLL and example-F1 of every method, model against model (Figure 11).
FigureRows base_chat_rows(std::span<const NamedAlignment> tables);

}  // namespace labelprobe::analysis
