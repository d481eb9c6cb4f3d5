// Sentence encoders against transformers.
#include "labelprobe/model/sentence_encoder.h"

#include <cmath>
#include <fstream>
#include <functional>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/paths.h"

namespace labelprobe::model {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

json read_json(const fs::path& path) {
  std::ifstream file(path);
  return json::parse(file);
}

// A copy of a fixture's encoder with one of its JSON files changed.
std::string message_after(const std::string& file, const std::function<void(json&)>& change) {
  const support::TempFolder folder;
  fs::copy(support::fixture("model/sentence/bert"), folder.path(), fs::copy_options::recursive);
  json content = fs::exists(folder.path() / file) ? read_json(folder.path() / file) : json();
  change(content);
  fs::create_directories((folder.path() / file).parent_path());
  std::ofstream(folder.path() / file) << content;
  try {
    open_sentence_encoder(folder.path(), "cpu", 1);
  } catch (const ModelError& error) {
    return error.what();
  }
  return "no ModelError";
}

}  // namespace

TEST_CASE("Tiny encoders give the vectors of transformers", "[sentence_encoder]") {
  for (const std::string name : {"bert", "mpnet"}) {
    const fs::path folder = support::fixture("model/sentence/" + name);
    const json cases = read_json(folder / "vectors.json").at("cases");
    REQUIRE(cases.size() > 40);
    std::vector<TokenIds> texts;
    for (const json& each : cases) {
      texts.push_back(each.at("ids").get<TokenIds>());
    }
    const auto encoder = open_sentence_encoder(folder, "cpu", 1);
    const std::vector<float> together = encoder->encode(texts);
    const auto n_dims = static_cast<std::size_t>(encoder->info().n_dims);
    REQUIRE(together.size() == texts.size() * n_dims);
    float largest = 0;
    float largest_alone = 0;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const auto expected = cases[i].at("vector").get<std::vector<float>>();
      const std::vector<float> alone = encoder->encode(std::span(texts).subspan(i, 1));
      REQUIRE(expected.size() == n_dims);
      for (std::size_t d = 0; d < n_dims; ++d) {
        largest = std::max(largest, std::abs(together[i * n_dims + d] - expected[d]));
        largest_alone = std::max(largest_alone, std::abs(together[i * n_dims + d] - alone[d]));
      }
    }
    INFO(name << ": largest difference from transformers " << largest << ", from one by one "
              << largest_alone);
    CHECK(largest < 5e-6F);
    CHECK(largest_alone < 5e-6F);
  }
}

TEST_CASE("all-MiniLM-L6-v2 gives the vectors of transformers", "[sentence_encoder][real]") {
  if (support::minilm().empty()) {
    SKIP_ALOUD("no all-MiniLM-L6-v2");
  }
  const json cases = read_json(support::fixture("model/sentence/minilm.json")).at("cases");
  std::vector<TokenIds> texts;
  for (const json& each : cases) {
    texts.push_back(each.at("ids").get<TokenIds>());
  }
  const auto encoder = open_sentence_encoder(support::minilm(), "cpu", 0);
  const std::vector<float> vectors = encoder->encode(texts);
  const auto n_dims = static_cast<std::size_t>(encoder->info().n_dims);
  float largest = 0;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto expected = cases[i].at("vector_begin").get<std::vector<float>>();
    for (std::size_t d = 0; d < expected.size(); ++d) {
      largest = std::max(largest, std::abs(vectors[i * n_dims + d] - expected[d]));
    }
  }
  INFO("largest difference " << largest);
  CHECK(largest < 1e-5F);
}

TEST_CASE("Of a long text the first tokens and the last count", "[sentence_encoder]") {
  const auto encoder = open_sentence_encoder(support::fixture("model/sentence/bert"), "cpu", 1);
  REQUIRE(encoder->info().max_tokens == 40);
  TokenIds text = {2};
  for (TokenId id = 10; id < 100; ++id) {
    text.push_back(id);
  }
  TokenIds cut(text.begin(), text.begin() + 39);
  text.push_back(3);
  cut.push_back(3);
  CHECK(encoder->encode({{text}}) == encoder->encode({{cut}}));
}

TEST_CASE("An encoder's files say what is wrong with them", "[sentence_encoder]") {
  CHECK(message_after("config.json", [](json&) {}) == "no ModelError");
  CHECK_THAT(message_after("config.json", [](json& c) { c["model_type"] = "t5"; }),
             ContainsSubstring("config.json: key 'model_type': expected \"bert\" or \"mpnet\""));
  CHECK_THAT(message_after("config.json", [](json& c) { c["hidden_act"] = "relu"; }),
             ContainsSubstring("key 'hidden_act': expected \"gelu\""));
  CHECK_THAT(message_after("config.json", [](json& c) { c["num_attention_heads"] = 5; }),
             ContainsSubstring("expected a divisor of hidden_size, 24"));
  CHECK_THAT(message_after("config.json", [](json& c) { c["vocab_size"] = 421; }),
             ContainsSubstring("expected shape [421, 24], found [420, 24]"));
  CHECK_THAT(message_after("config.json", [](json& c) { c["num_hidden_layers"] = 3; }),
             ContainsSubstring("tensor encoder.layer.2.attention.self.query.weight is missing"));
  CHECK_THAT(message_after("config.json", [](json& c) { c["num_hidden_layers"] = 1; }),
             ContainsSubstring("belongs to no part of the encoder"));
  CHECK_THAT(message_after("config.json", [](json& c) { c["num_hidden_layers"] = -1; }),
             ContainsSubstring("key 'num_hidden_layers'"));
  CHECK_THAT(message_after("sentence_bert_config.json", [](json& c) { c["do_lower_case"] = true; }),
             ContainsSubstring("sentence_bert_config.json: key 'do_lower_case': expected false"));
  CHECK_THAT(message_after("modules.json",
                           [](json& c) {
                             c = {{{"type", "sentence_transformers.models.Dense"}, {"path", "2"}}};
                           }),
             ContainsSubstring("expected Transformer, Pooling or Normalize"));
  for (const char* escape : {"../..", "..", ".", "/etc", ""}) {
    CHECK_THAT(message_after("modules.json",
                             [&](json& c) {
                               c = {{{"type", "x.Pooling"}, {"path", escape}}};
                             }),
               ContainsSubstring("expected the name of a folder"));
  }
  CHECK_THAT(message_after("modules.json", [](json& c) { c = 7; }),
             ContainsSubstring("modules.json: expected a list, found"));
  CHECK_THROWS_WITH(open_sentence_encoder(support::fixture("model/sentence"), "cpu", 1),
                    ContainsSubstring("expected the folder of an encoder, found no config.json"));
  const auto encoder = open_sentence_encoder(support::fixture("model/sentence/bert"), "cpu", 1);
  CHECK_THROWS_WITH(encoder->encode({{TokenIds{2, 420, 3}}}),
                    ContainsSubstring("below its vocabulary size, 420, found 420"));
}

}  // namespace labelprobe::model
