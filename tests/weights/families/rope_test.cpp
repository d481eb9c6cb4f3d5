// Rotary embeddings of every kind of scaling against transformers.
#include "weights/families/rope.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <sstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

namespace labelprobe::weights {
namespace {

using nlohmann::json;

std::vector<float> hex_floats(const std::string& text) {
  std::istringstream words(text);
  std::vector<float> floats;
  for (std::string word; words >> word;) {
    const auto bits = static_cast<std::uint32_t>(std::stoul(word, nullptr, 16));
    floats.emplace_back();
    std::memcpy(&floats.back(), &bits, sizeof bits);
  }
  return floats;
}

Rope rope_of(const json& parameters) {
  Rope rope;
  RopeScaling& scaling = rope.scaling;
  const auto type = parameters["rope_type"].get<std::string>();
  scaling.kind = type == "yarn"      ? RopeScaling::Kind::Yarn
                 : type == "dynamic" ? RopeScaling::Kind::Dynamic
                                     : RopeScaling::Kind::LongRope;
  rope.theta = parameters["rope_theta"];
  scaling.factor = parameters.value("factor", 0.0);
  scaling.original_max_position = parameters.value("original_max_position_embeddings", 0);
  scaling.beta_fast = parameters.value("beta_fast", scaling.beta_fast);
  scaling.beta_slow = parameters.value("beta_slow", scaling.beta_slow);
  scaling.mscale = parameters.value("mscale", 0.0);
  scaling.mscale_all_dim = parameters.value("mscale_all_dim", 0.0);
  scaling.is_truncated = parameters.value("truncate", true);
  if (parameters.contains("attention_factor")) {
    scaling.attention_factor = parameters["attention_factor"].get<double>();
  }
  scaling.short_factors = parameters.value("short_factor", std::vector<float>());
  scaling.long_factors = parameters.value("long_factor", std::vector<float>());
  return rope;
}

}  // namespace

TEST_CASE("Rotary embeddings of long texts turn as those of transformers", "[golden]") {
  const auto fixture = json::parse(support::read_file(support::fixture("model/rope_turns.json")));
  for (const json& one : fixture["cases"]) {
    INFO(one["rope_parameters"].dump() << ", " << one["n_tokens"] << " tokens");
    DecoderConfig config;
    config.head_dim = one["head_dim"];
    config.max_position_embeddings = one["max_position_embeddings"];
    const Rope rope = rope_of(one["rope_parameters"]);
    config.rope_theta = rope.theta;
    config.rope_scaling = rope.scaling;
    const double share = one["rope_parameters"].value("partial_rotary_factor", 1.0);
    if (share != 1.0) config.rotary_dim = static_cast<int>(config.head_dim * share);
    const std::int64_t n_original = original_length(config);
    const bool is_beyond = n_original > 0 && one["n_tokens"].get<std::int64_t>() > n_original;
    const RopeTurns turns =
        rope_turns(config, rope, is_beyond ? TextLength::Beyond : TextLength::Original);
    const std::vector<float> expected = hex_floats(one["float_bits"]);
    REQUIRE(turns.frequencies.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      INFO("frequency " << i << ": found " << turns.frequencies[i] << ", not " << expected[i]);
      CHECK(std::abs(turns.frequencies[i] - expected[i]) <= 1e-6F * expected[i]);
    }
    CHECK(turns.factor == Approx(one["attention_factor"].get<double>()).epsilon(1e-12));
  }
}

TEST_CASE("Texts beyond the original length are turned otherwise by longrope alone", "[unit]") {
  DecoderConfig config;
  config.max_position_embeddings = 1000;
  config.rope_scaling.original_max_position = 100;
  CHECK(original_length(config) == 0);
  config.rope_scaling.kind = RopeScaling::Kind::Yarn;
  CHECK(original_length(config) == 0);
  config.rope_scaling.kind = RopeScaling::Kind::LongRope;
  CHECK(original_length(config) == 100);
  config.rope_scaling.original_max_position = 1000;
  CHECK(original_length(config) == 0);
}

}  // namespace labelprobe::weights
