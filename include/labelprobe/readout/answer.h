// From generated text to predicted labels: where the answer ends and what it names.
// Source: the published evaluator, with its known parsing faults mended.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/core/label_format.h"
#include "labelprobe/core/label_set.h"
#include "labelprobe/record/item_record.h"

namespace labelprobe::readout {

// How labels are searched for in answers that do not list them in the format asked for.
enum class Parser {
  Words,      // as words of their own
  Published,  // anywhere, inside other words too
};

// "words", "published"; ConfigError naming them for anything else.
Parser parse_parser(std::string_view name);

struct Prediction {
  Labels labels;
  record::AnswerSource source = record::AnswerSource::Nothing;
};

struct AnswerRule;

// The labels an answer names. If every item it lists is a label or `none`, those; otherwise every
// label that occurs in the answer, other than as a part of a longer label ("reasonable" in
// "unreasonable"). Single-label: the first of them in label-set order, label 0 if there is none, as
// published. Names are compared by what folded() makes of them.
Prediction predict_labels(std::string_view outs, const AnswerRule& rule, const LabelSet& label_set);

// The word an answer names, one of a few: the one it consists of, otherwise the first that occurs
// in the answer as a word of its own, whatever the parser; none if none does.
Prediction predict_word(std::string_view outs, const AnswerRule& rule, const LabelSet& words);

// What surrounds an answer in the generated text.
struct AnswerRule {
  LabelFormat label_format;
  // What starts the next example, stripped (e.g. "Input:"): the answer ends before it. Empty = it
  // never ends early.
  std::string stop;
  // What stands between a chain of thought and the label, stripped; unset without chain of thought.
  std::optional<std::string> cot_marker = {};
  Parser parser = Parser::Words;
  Prediction (*predict)(std::string_view outs,
                        const AnswerRule& rule,
                        const LabelSet& label_set) = predict_labels;
};

// The generated text in its parts, each stripped.
struct Answer {
  std::string outs;                        // before the stop string
  std::string residual_outs;               // from the stop string on; empty if it never came
  std::optional<std::string> prefix_outs;  // before the chain-of-thought marker, where there is one
};

// `text` is the whole decoded continuation. Without the marker of a rule that has one, everything
// is prefix.
Answer split_answer(std::string_view text, const AnswerRule& rule);

// The items an answer lists, folded, as the label format writes them; nullopt if it is not of
// that format.
std::optional<std::vector<std::string>> parse_items(std::string_view outs,
                                                    const LabelFormat& format);

}  // namespace labelprobe::readout
