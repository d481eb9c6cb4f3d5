// How the answers of a run are asked for and read: what run() gives to the model, and what it makes
// of what comes back. Made by a plan (plan.h) once the tokenizer is known.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/core/token.h"
#include "labelprobe/model/language_model.h"
#include "labelprobe/readout/answer_format.h"
#include "labelprobe/record/item_record.h"

namespace labelprobe::experiment {

struct Answers {
  TokenIds watched;  // tokens whose logits are kept at every step
  // Whether an answer is at its end.
  std::function<bool(std::span<const TokenId> generated)> is_complete;
  // See model::GenerateOptions::draft; unset = no guesses.
  std::function<TokenIds(std::span<const TokenId> generated)> draft = {};
  // The beginning of a prompt that is looked at too, one token generated; unset = none is.
  std::function<std::string_view(std::string_view prompt)> beginning = {};
  // Fills the answer fields of an item.
  //   of_beginning  what beginning() of the prompt gave; null without one
  std::function<void(const model::Generation& of_prompt,
                     const model::Generation* of_beginning,
                     record::ItemRecord& item)>
      read;

  // What answers look like, for readouts: labels, or one of the answer words; unset = other texts.
  std::optional<readout::AnswerFormat> format = {};

  // For people.
  std::string stop;         // the text that ends an answer, empty = none does
  std::string description;  // of the tokens that answers begin with: lines, each with its end
  std::vector<std::string> warnings = {};
};

}  // namespace labelprobe::experiment
