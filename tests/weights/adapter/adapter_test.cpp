#include "weights/adapter/adapter.h"

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"
#include "weights/checkpoint/checkpoint.h"
#include "weights/checkpoint/load_config.h"

namespace labelprobe::weights {
namespace {

namespace fs = std::filesystem;

const fs::path& base() {
  static const fs::path path = support::fixture("model/llama_gqa_llama3_rope");
  return path;
}

// A copy of the adapter of peft with one setting changed.
void copy_with(const fs::path& folder, const std::string& key, const nlohmann::json& value) {
  const fs::path from = support::fixture("model/adapters/llama");
  nlohmann::json config = support::read_json(from / kAdapterConfigFile);
  config[key] = value;
  support::write_file(folder / kAdapterConfigFile, config.dump());
  fs::copy_file(from / kAdapterFile, folder / kAdapterFile);
}

}  // namespace

TEST_CASE("An adapter of peft is read with its scale", "[unit]") {
  const DecoderConfig config = load_config(base());
  const Adapter adapter = Adapter::open(support::fixture("model/adapters/llama"), config);
  CHECK(adapter.updates().size() == static_cast<std::size_t>(2 * config.n_layers));
  CHECK(adapter.updates().begin()->second.scale == 2.0);  // 8 / 4
  CHECK(adapter.changes(weight_of(config, Role::Query)));
  CHECK_FALSE(adapter.changes(weight_of(config, Role::Key)));
  CHECK(adapter.base_fingerprint().empty());
}

TEST_CASE("What is no plain LoRA is refused by its key", "[unit]") {
  struct Case {
    const char* key;
    nlohmann::json value;
    const char* message;
  };
  const auto one =
      GENERATE(Case{"use_dora", true, "key 'use_dora': expected nothing"},
               Case{"modules_to_save", {"lm_head"}, "key 'modules_to_save': expected nothing"},
               Case{"peft_type", "IA3", "key 'peft_type': expected \"LORA\""},
               Case{"bias", "all", "key 'bias': expected \"none\""},
               Case{"rank_pattern", {{"q_proj", 2}}, "key 'rank_pattern': expected no pattern"},
               Case{"fan_in_fan_out", true, "key 'fan_in_fan_out': expected false"},
               Case{"init_lora_weights", "pissa", "key 'init_lora_weights': expected a way"},
               Case{"a_new_idea", 7, "key 'a_new_idea': expected nothing"});
  const support::TempFolder folder;
  copy_with(folder.path(), one.key, one.value);
  CHECK_THROWS_WITH(Adapter::open(folder.path(), load_config(base())),
                    ContainsSubstring(one.message));
}

TEST_CASE("An adapter for another base is refused", "[unit]") {
  const fs::path llama = support::fixture("model/adapters/llama");
  CHECK_THROWS_WITH(Adapter::open(llama, load_config(support::fixture("model/qwen2"))),
                    ContainsSubstring("is the adapter for another base?"));
  const support::TempFolder folder;
  CHECK_THROWS_WITH(Adapter::open(folder.path() / "none", load_config(base())),
                    ContainsSubstring("found no such folder"));
  CHECK_THROWS_WITH(Adapter::open(folder.path(), load_config(base())),
                    ContainsSubstring("found no configuration"));
  copy_with(folder.path(), "r", 4);
  support::write_file(folder.path() / kAdapterNoteFile, R"({"base_fingerprint": "0123"})");
  Checkpoint checkpoint = Checkpoint::open(base());
  CHECK_THROWS_WITH(
      checkpoint.add_adapter(folder.path()),
      ContainsSubstring(
          "expected the weights that the adapter was made for, with the fingerprint 0123"));
}

TEST_CASE("A checkpoint with an adapter has another fingerprint", "[unit]") {
  Checkpoint checkpoint = Checkpoint::open(base());
  const std::string alone = checkpoint.fingerprint();
  checkpoint.add_adapter(support::fixture("model/adapters/llama"));
  CHECK(checkpoint.fingerprint() != alone);
}

}  // namespace labelprobe::weights
