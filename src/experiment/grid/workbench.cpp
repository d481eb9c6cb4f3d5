#include "labelprobe/experiment/workbench.h"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/error.h"

#include "experiment/served/served_model.h"

namespace labelprobe::experiment {

namespace {

// What the values of the weights in memory depend on.
std::string weights_of(const ModelLoading& loading) {
  return loading.model.string() + '\n' + std::string(weights::dtype_name(loading.options.dtype)) +
         '\n' + std::string(weights::quantization_name(loading.options.quantization)) + '\n' +
         std::string(weights::weight_form_name(loading.options.weights)) + '\n' +
         loading.options.adapter.string();
}

// sentence-transformers' own encoders are named without their organisation.
std::filesystem::path locate_encoder(const ModelSource& source, const std::string& name) {
  const bool is_bare = name.find('/') == std::string::npos && !std::filesystem::exists(name);
  return source.locate(is_bare ? "sentence-transformers/" + name : name);
}

}  // namespace

Workbench::Workbench(EncodingListener on_encoding, std::unique_ptr<const ModelSource> source)
    : on_encoding_(std::move(on_encoding)), source_(std::move(source)) {}

ServedModel& Workbench::served(const ModelLoading& loading) {
  const server::Options& options = loading.served->options;
  std::string wanted =
      fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}", options.address, options.served_model,
                  options.asks_chat, options.max_concurrent, options.requests_per_minute,
                  options.timeout_seconds, options.n_attempts, options.first_wait_seconds);
  if (!served_ || served_is_ != wanted) {
    served_ = std::make_shared<ServedModel>(options);
    served_is_ = std::move(wanted);
  }
  return *served_;
}

std::shared_ptr<const tokenizer::Tokenizer> Workbench::tokenizer(const ModelLoading& loading) {
  if (loading.served) {
    const ServedModel& model = served(loading);
    return {served_, &model.vocabulary()};
  }
  std::string wanted = loading.model.string() + '\n' + loading.splitting;
  if (!tokenizer_ || tokenizer_is_ != wanted) {
    tokenizer_ = source_->load_tokenizer(loading.model, loading.splitting);
    tokenizer_is_ = std::move(wanted);
  }
  return tokenizer_;
}

const model::ModelInfo& Workbench::inspect(const ModelLoading& loading) {
  if (loading.served) return served(loading).info();
  std::string wanted = weights_of(loading);
  if (inspected_ != wanted) {
    info_ = source_->inspect(loading);
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
  source_->save_quantized(loading);
  planned->second.is_written = true;
  return true;
}

Workbench::Opened Workbench::open(const ModelLoading& loading) {
  if (loading.served) {
    model_.reset();
    opened_.clear();
    return {served(loading), true};
  }
  const model::OpenOptions& options = loading.options;
  std::string wanted = weights_of(loading) + '\n' + loading.packed_copy.string() + '\n' +
                       options.device + '\n' + std::to_string(options.n_threads) +
                       (options.allows_tf32 ? "\ntf32" : "") + (options.is_fast ? "\nfast" : "");
  if (model_ && opened_ == wanted) {
    return {*model_, false};
  }
  model_.reset();
  model_ =
      source_->open(loading.packed_copy.empty() ? loading.model : loading.packed_copy, options);
  opened_ = std::move(wanted);
  return {*model_, true};
}

std::function<EncodedTexts(std::span<const std::string>)> Workbench::text_encoder(
    const SentenceEncoderChoice& choice) {
  if (choice.name.empty()) {
    return {};
  }
  return [this, choice](std::span<const std::string> texts) { return encode(choice, texts); };
}

EncodedTexts Workbench::encode(const SentenceEncoderChoice& choice,
                               std::span<const std::string> texts) {
  const std::filesystem::path folder = locate_encoder(*source_, choice.name);
  if (encoder_path_ != folder) {
    sentence_vectors_.clear();
    encoder_path_ = folder;
  }
  encode_new(choice, texts);
  EncodedTexts encoded{encoder_info_.n_dims, {}, encoder_info_.fingerprint};
  for (const std::string& text : texts) {
    const std::vector<float>& vector = sentence_vectors_.at(text);
    encoded.vectors.insert(encoded.vectors.end(), vector.begin(), vector.end());
  }
  return encoded;
}

void Workbench::encode_new(const SentenceEncoderChoice& choice,
                           std::span<const std::string> texts) {
  std::vector<const std::string*> unknown;
  std::vector<TokenIds> ids;
  std::shared_ptr<const tokenizer::Tokenizer> tokens;
  for (const std::string& text : texts) {
    if (!sentence_vectors_.try_emplace(text).second) {
      continue;
    }
    if (!tokens) {
      tokens = source_->load_tokenizer(encoder_path_, "");
    }
    unknown.push_back(&text);
    ids.push_back(tokens->encode(text, tokenizer::SpecialTokens::Add));
  }
  if (unknown.empty()) {
    return;
  }
  Encoding encoding{encoder_path_, unknown.size(), "", -1};
  const auto tell = [&] {
    if (on_encoding_) on_encoding_(encoding);
  };
  tell();
  const auto start = std::chrono::steady_clock::now();
  const auto encoder = source_->open_sentence_encoder(encoder_path_, choice);
  encoder_info_ = encoder->info();
  const std::vector<float> vectors = encoder->encode(ids);
  for (std::size_t i = 0; i < unknown.size(); ++i) {
    const auto begin = vectors.begin() + static_cast<std::ptrdiff_t>(i) * encoder_info_.n_dims;
    sentence_vectors_[*unknown[i]].assign(begin, begin + encoder_info_.n_dims);
  }
  encoding.device = encoder_info_.device;
  encoding.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  tell();
}

}  // namespace labelprobe::experiment
