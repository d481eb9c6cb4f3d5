// What a well-formed answer looks like, byte by byte: an opener, labels with separators between
// them, a closer; or one of the texts that list nothing. Every way of reading label probabilities
// off a model goes by it.
// Source: methods beyond the paper's four, sections 2 and 9.3.
// Callers: experiment, which knows the labels and the prompts; readouts.h, which reads by it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/core/label_format.h"
#include "labelprobe/core/label_set.h"

namespace labelprobe::readout {

// When a label that stands in an answer counts as written.
enum class Completion {
  Eager,      // as soon as its text is there
  Lookahead,  // once what follows rules out a longer label
};

enum class Repeats {
  Allow,   // a label may be listed again; it counts once
  Forbid,  // an answer that lists a label again is off format
};

struct AnswerLabel {
  std::string name;
  std::vector<std::string> spellings;  // each of them is this label; bytes, as answers have them
};

struct AnswerFormat {
  std::vector<AnswerLabel> labels;
  std::vector<std::string> openers = {""};  // one of them stands before the first label
  std::vector<std::string> separators;      // between labels; empty: exactly one label
  // Behind the last label. The answer ends with a closer, whatever its token holds behind it.
  std::vector<std::string> closers;
  // Whole answers that list nothing. They need no closer, but where a label begins like one.
  std::vector<std::string> empties;
  bool closes_at_end_of_text = true;  // an end-of-text token closes where a closer may begin
  Repeats repeats = Repeats::Allow;
  int max_labels = 0;  // 0: any number
  Completion completion = Completion::Eager;
  // The word before the labels that the published estimators count as a label of its own
  // ("unsafe"); empty: none.
  std::string verdict = {};
};

// Throws ConfigError for a format that cannot be read: no labels or no way to end, two labels that
// read the same after folded(), a label that reads like an empty answer, a separator or a label in
// which an answer could end. Returns what a person should know, one sentence each: labels that
// begin with another label, where completion is eager.
std::vector<std::string> check(const AnswerFormat& format);

// Lookahead where a label begins with another one, else eager.
Completion completion_for(std::span<const AnswerLabel> labels);

// Answers as prompts of `format` show them. They may begin with a space or a line break, which a
// prompt leaves to the model or not, and end with a line break. Multi-label sets list any number of
// labels, or `none`; single-label ones have exactly one label.
AnswerFormat format_of(const LabelFormat& format, const LabelSet& label_set);

// `safe`, or `unsafe` and on the next line the codes, separated by commas; a space, a line break or
// a blank line may stand before them. End of text closes, and so does a line break.
AnswerFormat hazard_format(std::span<const std::string> codes);

// The verdict of such an answer alone: the labels are `unsafe` and `safe`, in this order.
AnswerFormat verdict_format();

// A sentence: `prefix`, labels separated by `separator`, a full stop.
AnswerFormat sentence_format(std::string_view prefix,
                             std::string_view separator,
                             std::span<const std::string> labels);

}  // namespace labelprobe::readout
