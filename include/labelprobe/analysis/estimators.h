// From the items of a log to one distribution over the labels per example: one row per estimator.
// Commands, tables and listings loop over the rows; a new estimator is a function and a row in
// estimators.cpp.
// Source: paper, section 4 and the published estimators (spelled as their names: `baseline`,
// `output`, `unary`, `binary`, `binary_outcome`, `max`, `SFT_output`, `SFT_max`). For single-label
// sets there are two more, with the values that the published definitions leave unnormalised or
// nearly flat: `output_normalized` and `unary_normalized` (p / sum of p).
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/analysis/distributions.h"
#include "labelprobe/core/item_id.h"
#include "labelprobe/core/label_set.h"
#include "labelprobe/record/item_record.h"

namespace labelprobe::analysis {

// Where the answer to a unary or binary prompt is read, see record::ItemRecord.
enum class AnswerPosition { Greedy, First, Healed };

// "greedy", "first", "healed"; ConfigError naming them for anything else.
AnswerPosition parse_answer_position(std::string_view name);
std::string_view name_of(AnswerPosition position);

// p = sigmoid(weight * x + bias); x = the difference of a label's logit (or score) from none's.
struct PlattScaling {
  double weight = 1.0;
  double bias = 0.0;
};

struct EstimatorOptions {
  AnswerPosition answer = AnswerPosition::Greedy;
  PlattScaling platt;  // estimators that fill Estimates::platt_inputs
};

struct Estimates : Distributions {
  // The x that Platt scaling applies to. Empty of estimators that have none: all but multi-label
  // baseline, binary, binary_outcome.
  LabelNumbers platt_inputs;
  std::size_t n_items = 0;   // items used
  std::size_t n_failed = 0;  // items recorded as failed, left out
  // Items whose answer (label step) was found: greedy, the generated answer has one; first and
  // healed, the most probable token of all begins an answer word.
  std::size_t n_answers_found = 0;
  // Runs that ask for all labels at once: examples whose answers say nothing of what was asked, so
  // that the published stand-in counts for them.
  std::set<std::string> unanswered;
  // Unary, binary: mean probability of the whole vocabulary that the answer words hold at the
  // position asked, over the items that have it (greedy: those whose answer was found). Unset where
  // the log does not tell (the published program's logs).
  std::optional<double> mean_answer_mass;
  std::vector<std::string> warnings;  // sentences: missing pairs, examples left out, fallbacks
};

enum class LabelSets { All, MultiLabel, SingleLabel };
enum class ModelState { Plain, Tuned };

struct EstimationInput;  // src/analysis/estimate/estimation.h

struct Estimator {
  std::string_view name;   // in files and flags: "unary"
  std::string_view title;  // in tables, as the paper's call it
  std::string_view summary;
  // The runs it is made from.
  const ItemForm* items = &kPlainItems;
  ModelState model_state = ModelState::Plain;
  LabelSets label_sets = LabelSets::All;
  // Fills all of Estimates but n_items, n_failed and the estimator's name.
  void (*run)(const EstimationInput& input, Estimates& estimates) = nullptr;
  std::string_view other_plan = {};  // that its runs are of; empty: the usual one of such items
  std::string_view readout = {};     // that its runs have and it is made of; empty: of none

  bool fits(LabelKind kind) const {
    return label_sets == LabelSets::All ||
           (label_sets == LabelSets::MultiLabel) == (kind == LabelKind::MultiLabel);
  }
  std::string_view plan() const { return other_plan.empty() ? items->plan : other_plan; }
  // Its runs are answered by a word, which may be read at each AnswerPosition.
  bool has_positions() const { return items->asks_about_labels(); }
};

// In the order of the paper's tables.
std::span<const Estimator> estimators();

// The row of a readout that runs were asked for (record::ItemRecord::readouts), which stands in no
// table: what it is called is up to the run. Of runs that are answered by a word it makes the
// labels' probabilities as `unary` and `binary` do, and its name begins with theirs:
// "unary_slot_trie". Not to be called from several threads.
//   items  what the runs ask
const Estimator& readout_estimator(const std::string& readout, const ItemForm& items);

// Throws ConfigError for an unknown name or one that does not fit the label kind, naming those that
// do.
const Estimator& find_estimator(std::string_view name, LabelKind kind);

// Items without a usable answer get the published fallback (both answer words equal, all labels
// equally far from none) and are counted in a warning; examples that lack items are left out, those
// that lack pairs are fitted on the pairs there are, and warnings name them.
// Throws ConfigError for an answer position that the log has no reading of; DataError (item key,
// expected, found) for items of another kind of run, repeated items, unknown labels and impossible
// numbers.
Estimates estimate(const Estimator& estimator,
                   std::span<const record::ItemRecord> items,
                   const LabelSet& label_set,
                   const EstimatorOptions& options = {});

}  // namespace labelprobe::analysis
