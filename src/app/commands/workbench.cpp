#include "app/commands/workbench.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <iostream>

#include "labelprobe/core/error.h"
#include "labelprobe/weights/save_quantized.h"

namespace labelprobe::app {

namespace {

// What the values of the weights in memory depend on.
std::string weights_of(const ModelLoading& loading) {
  return loading.model.string() + '\n' + std::string(weights::dtype_name(loading.options.dtype)) +
         '\n' + std::string(weights::quantization_name(loading.options.quantization));
}

}  // namespace

std::shared_ptr<const tokenizer::Tokenizer> Workbench::tokenizer(
    const std::filesystem::path& path) {
  if (!tokenizer_ || tokenizer_path_ != path) {
    tokenizer_ = tokenizer::load(path);
    tokenizer_path_ = path;
  }
  return tokenizer_;
}

const model::ModelInfo& Workbench::inspect(const ModelLoading& loading) {
  std::string wanted = weights_of(loading);
  if (inspected_ != wanted) {
    info_ = model::inspect(loading.model, loading.options.dtype, loading.options.quantization);
    inspected_ = std::move(wanted);
  }
  return info_;
}

void Workbench::plan_packed_copy(const ModelLoading& loading) {
  if (loading.packed_copy.empty()) {
    return;
  }
  const auto planned = packed_copies_.find(loading.packed_copy);
  const std::string where =
      loading.packed_copy_place + ": save_quantised: " + loading.packed_copy.string();
  if (planned != packed_copies_.end()) {
    if (planned->second.weights != weights_of(loading)) {
      throw ConfigError(where + " is the folder of another setting's weights; give each its own");
    }
    return;
  }
  if (std::filesystem::exists(loading.packed_copy)) {
    throw ConfigError(where +
                      " is there already; to run from it, name it as --model-name-or-path and "
                      "leave --save-quantised out");
  }
  packed_copies_[loading.packed_copy].weights = weights_of(loading);
}

bool Workbench::write_packed_copy(const ModelLoading& loading) {
  const auto planned = packed_copies_.find(loading.packed_copy);
  if (planned == packed_copies_.end() || planned->second.is_written) {
    return false;
  }
  weights::save_quantized(loading.model, loading.options.dtype, loading.options.quantization,
                          loading.packed_copy);
  planned->second.is_written = true;
  return true;
}

Workbench::Opened Workbench::open(const ModelLoading& loading) {
  const model::OpenOptions& options = loading.options;
  std::string wanted = weights_of(loading) + '\n' + loading.packed_copy.string() + '\n' +
                       options.device + '\n' + std::to_string(options.n_threads) +
                       (options.allows_tf32 ? "\ntf32" : "");
  if (model_ && opened_ == wanted) {
    return {*model_, false};
  }
  model_.reset();
  model_ = model::open(loading.packed_copy.empty() ? loading.model : loading.packed_copy, options);
  opened_ = std::move(wanted);
  return {*model_, true};
}

experiment::EncodedTexts Workbench::encode_sentences(const std::filesystem::path& folder,
                                                     const std::string& device,
                                                     int n_threads,
                                                     std::span<const std::string> texts) {
  if (encoder_path_ != folder) {
    sentence_vectors_.clear();
    encoder_path_ = folder;
  }
  std::vector<const std::string*> unknown;
  std::vector<TokenIds> ids;
  std::shared_ptr<const tokenizer::Tokenizer> tokens;
  for (const std::string& text : texts) {
    if (!sentence_vectors_.try_emplace(text).second) {
      continue;
    }
    if (!tokens) {
      tokens = tokenizer::load(folder);
    }
    unknown.push_back(&text);
    ids.push_back(tokens->encode(text, tokenizer::SpecialTokens::Add));
  }
  if (!unknown.empty()) {
    std::cerr << "encoding " << unknown.size() << " texts with " << folder.string() << std::flush;
    const auto start = std::chrono::steady_clock::now();
    const auto encoder = model::open_sentence_encoder(folder, device, n_threads);
    encoder_info_ = encoder->info();
    const std::vector<float> vectors = encoder->encode(ids);
    for (std::size_t i = 0; i < unknown.size(); ++i) {
      const auto begin = vectors.begin() + static_cast<std::ptrdiff_t>(i) * encoder_info_.n_dims;
      sentence_vectors_[*unknown[i]].assign(begin, begin + encoder_info_.n_dims);
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    std::cerr << ": " << std::max<std::int64_t>(1, std::llround(seconds.count())) << " s on "
              << encoder_info_.device << std::endl;
  }
  experiment::EncodedTexts encoded{encoder_info_.n_dims, {}, encoder_info_.fingerprint};
  for (const std::string& text : texts) {
    const std::vector<float>& vector = sentence_vectors_.at(text);
    encoded.vectors.insert(encoded.vectors.end(), vector.begin(), vector.end());
  }
  return encoded;
}

}  // namespace labelprobe::app
