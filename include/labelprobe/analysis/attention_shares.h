// Where attention goes at the label steps of a run (Table 6 of the paper): the weight that one
// token gets on average, by what the token is part of. Reads what `--attention` logged.
// Source: the published calc_attn_weights.py.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "labelprobe/record/item_record.h"

namespace labelprobe::analysis {

// The mean over label steps of (summed weight / number of tokens); unset without a step that has
// such tokens. Shares from 0 to 1.
struct AttentionShares {
  std::optional<double> input;            // the prompt
  std::optional<double> previous_labels;  // the answer so far
  // As published: the places that predict the labels' first tokens, this step's own included.
  std::optional<double> predicting_tokens;
  std::optional<double> label_tokens;  // the first tokens of the labels before
  std::size_t n_items = 0;             // with such steps
  std::size_t n_steps = 0;
};

AttentionShares mean_attention(std::span<const record::ItemRecord> items);

// One of the shares, as tables have it.
struct AttentionColumn {
  std::string_view name;   // in logs: "prev_label"
  std::string_view title;  // "Label"
  std::string_view summary;
  std::optional<double> AttentionShares::*share;
};
std::span<const AttentionColumn> attention_columns();

// The published <folder name>_attn_weights.txt: three lines.
std::string attention_text(const AttentionShares& shares);

}  // namespace labelprobe::analysis
