// Models with LoRA adapters against transformers with peft.
#include "labelprobe/model/open.h"

#include "support/catch.h"
#include "support/generate.h"
#include "support/paths.h"
#include "support/reference.h"
#include "support/tolerance.h"

namespace labelprobe::model {

TEST_CASE("Logits with an adapter are those of transformers with peft", "[golden]") {
  struct Case {
    const char* base;
    const char* adapter;
    Quantization quantization;
  };
  const auto one = GENERATE(Case{"llama_gqa_llama3_rope", "llama", Quantization::None},
                            Case{"llama_gqa_llama3_rope", "llama_nf4", Quantization::Nf4Double},
                            Case{"qwen2", "qwen2_rslora", Quantization::None});
  INFO(one.adapter);
  const auto folder = support::fixture(std::string("model/adapters/") + one.adapter);
  const auto language_model =
      open(support::fixture(std::string("model/") + one.base),
           {.device = "cpu", .n_threads = 2, .quantization = one.quantization, .adapter = folder});
  const auto references = support::read_reference(folder);
  GenerateOptions options;
  options.stop.max_new_tokens = static_cast<int>(references.front().greedy_ids.size());
  options.keep_logits = true;
  const auto answers =
      support::generate_all(*language_model, support::prompts_of(references), options);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    CHECK(answers[i].token_ids == references[i].greedy_ids);
    CHECK(support::differences(answers[i].logits, references[i].logits, 1e-4) == "");
  }
}

}  // namespace labelprobe::model
