// Our logits and greedy tokens against those of transformers on the same weights.
#include "support/reference.h"

#include <cmath>

#include <ATen/Functions.h>

#include "labelprobe/model/open.h"

#include "support/catch.h"
#include "support/generate.h"
#include "support/paths.h"
#include "support/tensors.h"
#include "support/tolerance.h"

namespace labelprobe::model {
namespace {

std::unique_ptr<LanguageModel> open_on_cpu(const std::filesystem::path& path, DType dtype) {
  return open(path, {.dtype = dtype, .device = "cpu", .n_threads = 2});
}

void check_log_sum_exps(const Generation& answer, const support::ReferencePrompt& reference) {
  REQUIRE(answer.steps.size() == reference.log_sum_exps.size());
  for (std::size_t t = 0; t < answer.steps.size(); ++t) {
    // It can be no nearer than the logits that it is the sum of.
    CHECK(std::abs(answer.steps[t].log_sum_exp - reference.log_sum_exps[t]) <=
          support::tolerance_for("cpu", DType::Float32).logit);
  }
}

void check_against_reference(LanguageModel& language_model,
                             const std::vector<support::ReferencePrompt>& references,
                             const GenerateOptions& options) {
  const auto prompts = support::prompts_of(references);
  const auto answers = support::generate_all(language_model, prompts, options);
  const double allowed = support::tolerance_for("cpu", DType::Float32).logit;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    INFO("prompt " << i);
    REQUIRE_FALSE(answers[i].failure);
    CHECK(answers[i].token_ids == references[i].greedy_ids);
    CHECK(support::differences(answers[i].logits, references[i].logits, allowed) == "");
    check_log_sum_exps(answers[i], references[i]);
  }
}

GenerateOptions keeping_logits(const std::vector<support::ReferencePrompt>& references) {
  GenerateOptions options;
  options.stop.max_new_tokens = static_cast<int>(references.front().greedy_ids.size());
  options.keep_logits = true;
  return options;
}

}  // namespace

TEST_CASE("Logits are those of transformers for every kind of decoder", "[golden]") {
  const std::string name = GENERATE(
      as<std::string>(), "llama_mha", "llama_gqa_llama3_rope", "llama_llama3_rope_old_spelling",
      "llama_linear_rope", "llama_linear_rope_old_spelling", "llama_untied_head", "llama_head_dim",
      "llama_biases", "llama_bf16_file", "llama_shards", "qwen2", "mistral", "mistral/model.gguf");
  INFO(name);
  const auto path = support::fixture("model/" + name);
  const auto references =
      support::read_reference(std::filesystem::is_directory(path) ? path : path.parent_path());
  const auto language_model = open_on_cpu(path, DType::Float32);
  GenerateOptions options = keeping_logits(references);
  check_against_reference(*language_model, references, options);
  options.share_prefixes = false;
  options.batch_size = 1;
  check_against_reference(*language_model, references, options);
}

TEST_CASE("Logits of the trained stories260K are those of transformers", "[golden]") {
  const auto path = support::shared("models/stories260K-hf");
  if (!std::filesystem::exists(path)) SKIP_ALOUD("no stories260K checkpoint beside the checkout");
  const auto references = support::read_reference(support::fixture("model/stories260K"));
  check_against_reference(*open_on_cpu(path, DType::Float32), references,
                          keeping_logits(references));
}

TEST_CASE("Logits of SmolLM2 from quantised weights are those of transformers", "[golden]") {
  const auto path = support::smollm2_gguf();
  if (path.empty()) SKIP_ALOUD("SmolLM2 has not been fetched (scripts/get_model.sh)");
  const auto form = GENERATE(WeightForm::Unpacked, WeightForm::Packed);
  INFO("weights " << weights::weight_form_name(form));
  const auto references = support::read_reference(support::fixture("model/smollm2"));
  const auto language_model = open(path, {.device = "cpu", .n_threads = 2, .weights = form});
  CHECK(language_model->info().quantization ==
        (form == WeightForm::Packed ? Quantization::Gguf : Quantization::None));
  const int n_vocab = language_model->info().vocab_size;
  const auto answers = support::generate_all(*language_model, support::prompts_of(references),
                                             keeping_logits(references));
  const double allowed = support::tolerance_for("cpu", DType::Float32).logit;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    INFO("prompt " << i);
    CHECK(answers[i].token_ids == references[i].greedy_ids);
    check_log_sum_exps(answers[i], references[i]);
    std::vector<float> sampled;
    std::vector<float> top;
    for (std::size_t t = 0; t < answers[i].token_ids.size(); ++t) {
      const float* row = answers[i].logits.data() + t * n_vocab;
      for (int id = 0; id < n_vocab; id += 97) sampled.push_back(row[id]);
      for (const TokenId id : references[i].top_ids[t]) top.push_back(row[id]);
    }
    CHECK(support::differences(sampled, references[i].logits, allowed) == "");
    CHECK(support::differences(top, references[i].top_logits, allowed) == "");
  }
}

TEST_CASE("Packed weights give the same bits whatever is computed together", "[model]") {
  const auto path = support::smollm2_gguf();
  if (path.empty()) SKIP_ALOUD("SmolLM2 has not been fetched (scripts/get_model.sh)");
  const auto references = support::read_reference(support::fixture("model/smollm2"));
  const auto language_model =
      open(path, {.device = "cpu", .n_threads = 2, .weights = WeightForm::Packed});
  const auto prompts = support::prompts_of(references);
  GenerateOptions options = keeping_logits(references);
  options.stop.max_new_tokens = 3;
  const auto together = support::generate_all(*language_model, prompts, options);
  options.share_prefixes = false;
  options.batch_size = 1;
  const auto alone = support::generate_all(*language_model, prompts, options);
  for (std::size_t i = 0; i < prompts.size(); ++i) CHECK(together[i].logits == alone[i].logits);
}

TEST_CASE("Half precisions stay near the float32 reference", "[golden]") {
  const DType dtype = GENERATE(DType::BFloat16, DType::Float16);
  const std::string name = GENERATE(as<std::string>(), "llama_bf16_file", "llama_gqa_llama3_rope");
  INFO(weights::dtype_name(dtype) << " " << name);
  const auto references = support::read_reference(support::fixture("model/" + name));
  const auto language_model = open_on_cpu(support::fixture("model/" + name), dtype);
  GenerateOptions options = keeping_logits(references);
  // The first step only: after it the greedy paths may part.
  options.stop.max_new_tokens = 1;
  const auto answers =
      support::generate_all(*language_model, support::prompts_of(references), options);
  const auto tolerance = support::tolerance_for("cpu", dtype);
  std::vector<at::Tensor> found;
  std::vector<at::Tensor> expected;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    INFO("prompt " << i);
    const std::vector<float> first(
        references[i].logits.begin(),
        references[i].logits.begin() + static_cast<long>(answers[i].logits.size()));
    CHECK(support::differences(answers[i].logits, first, tolerance.logit) == "");
    found.push_back(at::tensor(answers[i].logits));
    expected.push_back(at::tensor(first));
  }
  CHECK(support::distance(at::cat(found), at::cat(expected)) < tolerance.share);
}

}  // namespace labelprobe::model
