#include "weights/checkpoint/parameter_checks.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/error.h"

#include "weights/checkpoint/quantized_tensors.h"
#include "weights/families/parameters.h"

namespace labelprobe::weights {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxNamesShown = 5;

// Tensors that repeat what the configuration says: rotary tables that old versions of transformers
// saved, and the head of a model whose embedding serves as head.
bool is_redundant(std::string_view name, const DecoderConfig& config) {
  return name.ends_with(".rotary_emb.inv_freq") ||
         (config.tie_word_embeddings && name == weight_of(config, Role::Head).name);
}

}  // namespace

std::string list_names(const std::vector<std::string>& names) {
  std::string text;
  const std::size_t n_shown = std::min(names.size(), kMaxNamesShown);
  for (std::size_t i = 0; i < n_shown; ++i) {
    text += (i == 0 ? "" : ", ") + names[i];
  }
  return names.size() == n_shown ? text
                                 : fmt::format("{} and {} more", text, names.size() - n_shown);
}

void check_both_ways(const fs::path& path, const TensorMap& tensors, const DecoderConfig& config) {
  const std::string architecture(config.family->architecture);
  std::vector<std::string> missing;
  std::set<std::string, std::less<>> expected;
  std::set<std::string, std::less<>> beside;  // the rest of quantised parameters
  for (const Parameter& parameter : parameters_of(config)) {
    expected.insert(parameter.name);
    const auto found = tensors.find(parameter.name);
    if (found == tensors.end()) {
      missing.push_back(parameter.name);
      continue;
    }
    if (!is_stored_quantized(tensors, parameter, config.quantization)) {
      check_form(found->second, parameter.shape);
      continue;
    }
    check_quantized(tensors, parameter, config.quantization);
    for (const std::string& name : quantized_names(parameter.name, config.quantization)) {
      beside.insert(name);
    }
  }
  if (!missing.empty()) {
    throw ModelError(fmt::format("{}: expected {} tensors of a {}, {} of them missing: {}",
                                 path.string(), expected.size(), architecture, missing.size(),
                                 list_names(missing)));
  }
  std::vector<std::string> left_over;
  for (const auto& [name, tensor] : tensors) {
    if (!expected.contains(name) && !beside.contains(name) && !is_redundant(name, config)) {
      left_over.push_back(name);
    }
  }
  if (!left_over.empty()) {
    throw ModelError(
        fmt::format("{}: expected only the tensors of a {} with the layers and biases of its "
                    "configuration, found {} others: {}",
                    path.string(), architecture, left_over.size(), list_names(left_over)));
  }
}

std::string text_part_name(std::string_view name) {
  for (const auto& [prefix, plain] :
       {std::pair{"model.language_model.", "model."}, std::pair{"language_model.", ""}}) {
    if (name.starts_with(prefix)) {
      return plain + std::string(name.substr(std::string_view(prefix).size()));
    }
  }
  const bool sees_images =
      name.find("vision_tower.") != name.npos || name.find("multi_modal_projector.") != name.npos;
  return sees_images ? std::string() : std::string(name);
}

void untie_stored_head(const fs::path& folder,
                       WeightFiles& weights,
                       DecoderConfig& config,
                       std::vector<std::string>& warnings) {
  if (!config.tie_word_embeddings) {
    return;
  }
  const std::string embedding_name = weight_of(config, Role::Embedding).name;
  const std::string head_name = weight_of(config, Role::Head).name;
  const auto head = weights.tensors().find(head_name);
  const auto embedding = weights.tensors().find(embedding_name);
  if (head == weights.tensors().end()) {
    return;
  }
  if (embedding == weights.tensors().end()) {
    weights.rename(head_name, embedding_name);
    return;
  }
  const StoredTensor& a = head->second;
  const StoredTensor& b = embedding->second;
  if (a.type_name != b.type_name || a.shape != b.shape || !std::ranges::equal(a.bytes, b.bytes)) {
    config.tie_word_embeddings = false;
    warnings.push_back(fmt::format(
        "{} says tie_word_embeddings, but {} is stored and differs from {}: the stored head "
        "counts, as in transformers; say tie_word_embeddings: false to make this plain",
        (folder / "config.json").string(), head_name, embedding_name));
  }
}

}  // namespace labelprobe::weights
