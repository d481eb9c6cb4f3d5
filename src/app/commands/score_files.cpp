#include "app/commands/score_files.h"

#include <algorithm>
#include <cmath>
#include <istream>
#include <unordered_map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/files/json.h"
#include "labelprobe/python/text.h"

namespace labelprobe::app {

namespace {

// lm-eval's "arguments": [["context", "continuation"], ...] or, since 0.4.3,
// {"gen_args_0": {"arg_0": "context", "arg_1": "continuation"}, ...}.
std::vector<ScoreLine::Pair> read_arguments(const files::JsonView& arguments) {
  std::vector<ScoreLine::Pair> pairs;
  if (arguments.value().is_array()) {
    for (const files::JsonView& pair : arguments.items()) {
      const std::vector<files::JsonView> both = pair.items();
      if (both.size() != 2) {
        pair.fail_expected("a context and a continuation", fmt::format("{} values", both.size()));
      }
      pairs.push_back({both[0].string(), both[1].string()});
    }
    return pairs;
  }
  for (std::size_t i = 0; i == 0 || arguments.has(fmt::format("gen_args_{}", i)); ++i) {
    const files::JsonView pair = arguments.at(fmt::format("gen_args_{}", i));
    pairs.push_back({pair.at("arg_0").string(), pair.at("arg_1").string()});
  }
  return pairs;
}

ScoreLine read_score_line(const files::JsonView& line) {
  if (!line.value().is_object()) {
    line.fail_expected(R"(an object like {"id": "a", "prompt": "...", "continuations": ["..."]})");
  }
  ScoreLine request;
  request.place = line.place();
  if (line.has("doc_id") && line.has("arguments")) {
    request.id = std::to_string(line.at("doc_id").integer(0, std::int64_t{1} << 53));
    request.pairs = read_arguments(line.at("arguments"));
  } else {
    request.id = line.at("id").string();
    const std::string& prompt = line.at("prompt").string();
    for (const files::JsonView& continuation : line.at("continuations").items()) {
      request.pairs.push_back({prompt, continuation.string()});
      if (request.pairs.back().continuation.empty()) {
        continuation.fail_expected("a text of one character or more", "an empty one");
      }
    }
  }
  if (line.has("pmi_prompt")) request.pmi_prompt = line.at("pmi_prompt").string();
  if (request.pairs.empty()) line.fail_expected("at least one continuation", "none");
  return request;
}

std::size_t n_characters(std::string_view text) {
  std::size_t n = 0;
  for (const char byte : text) n += (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
  return n;
}

// Probabilities among the continuations alone.
std::vector<double> shares(const std::vector<readout::TextScore>& texts) {
  double largest = texts.front().logprob;
  for (const readout::TextScore& text : texts) largest = std::max(largest, text.logprob);
  double sum = 0;
  for (const readout::TextScore& text : texts) sum += std::exp(text.logprob - largest);
  std::vector<double> shares;
  for (const readout::TextScore& text : texts) {
    shares.push_back(std::exp(text.logprob - largest) / sum);
  }
  return shares;
}

}  // namespace

std::vector<ScoreLine> read_score_lines(std::istream& in, const std::string& name) {
  std::vector<ScoreLine> requests;
  std::unordered_map<std::string, std::string> place_of;
  files::for_each_json_line(in, name, [&](const files::JsonView& line) {
    requests.push_back(read_score_line(line));
    const auto [entry, is_new] = place_of.emplace(requests.back().id, line.place());
    if (!is_new) {
      line.fail_expected("a new id",
                         fmt::format("'{}' as in {}", requests.back().id, entry->second));
    }
  });
  return requests;
}

std::string score_line(const ScoreLine& request,
                       const readout::GivenRequest& tokens,
                       const readout::RequestScore& score,
                       const std::vector<double>& bare_logprobs) {
  nlohmann::ordered_json line = {{"id", request.id}};
  if (score.failure) {
    line["failure"] = *score.failure;
    return line.dump();
  }
  if (tokens.prompt) {
    line["prompt_token_ids"] = *tokens.prompt;
    line["prompt_logprobs"] = score.prompt_logprobs;
  }
  const std::vector<double> probabilities = shares(score.texts);
  for (std::size_t i = 0; i < score.texts.size(); ++i) {
    const readout::TextScore& text = score.texts[i];
    const readout::GivenText& given = tokens.texts[i];
    const std::string& spelled = request.pairs[i].continuation;
    const std::string_view bare = python::strip(spelled);
    const auto n_tokens = static_cast<double>(text.token_logprobs.size());
    nlohmann::ordered_json entry = {
        {"text", spelled},
        {"logprob", text.logprob},
        {"n_tokens", text.token_logprobs.size()},
        {"token_ids",
         std::vector<TokenId>(given.tokens.begin() + static_cast<std::ptrdiff_t>(given.first),
                              given.tokens.end())},
        {"token_logprobs", text.token_logprobs},
        {"is_greedy", text.is_greedy},
        {"probability", probabilities[i]},
        {"per_token", text.logprob / n_tokens}};
    // A text of white space alone has no length to divide by.
    if (!bare.empty()) {
      entry["per_char"] = text.logprob / static_cast<double>(n_characters(bare));
      entry["per_byte"] = text.logprob / static_cast<double>(bare.size());
    }
    if (!bare_logprobs.empty()) {
      entry["bare_logprob"] = bare_logprobs[i];
      entry["pmi"] = text.logprob - bare_logprobs[i];
    }
    line["continuations"].push_back(std::move(entry));
  }
  return line.dump();
}

}  // namespace labelprobe::app
