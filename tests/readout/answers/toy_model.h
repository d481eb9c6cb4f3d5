// Models whose probabilities a test writes down, and what readouts make of them.
#pragma once

#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "labelprobe/readout/readouts.h"

#include "support/fake_model.h"
#include "support/list_tokenizer.h"

namespace labelprobe::readout {

// The probabilities of the tokens that may follow a text; all others have none.
using Table = std::map<std::string, std::map<std::string, double>>;

// A text that the table lacks is followed by the token `otherwise`.
inline support::FakeModel model_of(const support::ListTokenizer& tokenizer,
                                   Table table,
                                   const std::string& otherwise) {
  return support::FakeModel(
      tokenizer.vocab_size(), [&tokenizer, table = std::move(table), otherwise](
                                  std::span<const TokenId>, std::span<const TokenId> generated) {
        std::vector<float> logits(static_cast<std::size_t>(tokenizer.vocab_size()), -200.0F);
        const auto row = table.find(tokenizer.decode(generated));
        if (row == table.end()) {
          logits[static_cast<std::size_t>(tokenizer.id(otherwise))] = 0.0F;
        } else {
          for (const auto& [token, prob] : row->second) {
            logits[static_cast<std::size_t>(tokenizer.id(token))] =
                static_cast<float>(std::log(prob));
          }
        }
        return logits;
      });
}

// By prompt, as the sink was told.
inline std::map<std::size_t, std::vector<record::ReadoutValues>> read_all(
    model::LanguageModel& model,
    std::span<const TokenIds> prompts,
    const AnswerFormat& format,
    const tokenizer::Tokenizer& tokenizer,
    const TokenIds& end_ids,
    const std::vector<std::string>& names,
    const ReadoutOptions& options) {
  std::vector<const Readout*> chosen;
  for (const std::string& name : names) chosen.push_back(&find_readout(name));
  std::map<std::size_t, std::vector<record::ReadoutValues>> all;
  ReadoutExplorer explorer(format, tokenizer, end_ids, chosen, options,
                           [&](std::size_t prompt, std::vector<record::ReadoutValues> values,
                               const std::optional<std::string>& failure) {
                             if (failure) throw std::runtime_error(*failure);
                             all[prompt] = std::move(values);
                           });
  model.explore(prompts, explorer.options_for(prompts), explorer);
  return all;
}

inline record::ReadoutValues read_one(model::LanguageModel& model,
                                      const AnswerFormat& format,
                                      const tokenizer::Tokenizer& tokenizer,
                                      const TokenIds& end_ids,
                                      const std::string& name,
                                      const ReadoutOptions& options = {}) {
  const std::vector<TokenIds> prompts = {{0, 1}};
  return read_all(model, prompts, format, tokenizer, end_ids, {name}, options).at(0).at(0);
}

inline double at(const record::LabelValues& numbers, const std::string& label) {
  for (const auto& [name, number] : numbers) {
    if (name == label) return number;
  }
  return std::nan("");
}

// Emotions as lists of words behind a prompt that leaves the space to the model or not.
class Emotions {
 public:
  explicit Emotions(std::vector<std::string> names = {"joy", "fear", "anger"}) {
    for (const std::string& name : names) format.labels.push_back({name, {name}});
    format.openers = {"", " "};
    format.separators = {", "};
    format.closers = {"\n"};
    format.empties = {"none", " none"};
    options.forced_prefix = "joy, ";
    options.max_new_tokens = 8;
  }

  std::vector<record::ReadoutValues> read_several(const std::vector<std::string>& names) {
    const std::vector<TokenIds> prompts = {{0, 1}};
    return read_all(model, prompts, format, tokenizer, {end()}, names, options).at(0);
  }
  record::ReadoutValues read(const std::string& name) { return read_several({name}).at(0); }
  TokenId end() const { return tokenizer.id("<end>"); }

  support::ListTokenizer tokenizer{{"~a", "~b", "joy", "fear", "anger", " joy", " fear", " anger",
                                    "none", " none", ", ", "\n\n", "<end>", "love", "an", "ger",
                                    "I feel "}};
  AnswerFormat format;
  ReadoutOptions options;
  Table table = {
      {"", {{"joy", .5}, {"fear", .2}, {"an", .1}, {"none", .1}, {" joy", .05}, {"love", .05}}},
      {"joy", {{", ", .6}, {"\n\n", .3}, {"<end>", .1}}},
      {"fear", {{", ", .1}, {"\n\n", .9}}},
      {"an", {{"ger", .8}, {"love", .2}}},
      {" joy", {{"\n\n", 1.0}}},
      {"joy, ", {{"fear", .4}, {"anger", .3}, {"none", .2}, {"love", .1}}},
      {"fear, ", {{"joy", .5}, {"fear", .5}}}};
  support::FakeModel model = model_of(tokenizer, table, "\n\n");
};

}  // namespace labelprobe::readout
