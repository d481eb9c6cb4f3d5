// The model and the tokenizer in use. Runs that name the same ones, one after the other, share what
// is loaded; naming others puts the loaded ones away first, for weights are large.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "labelprobe/experiment/settings.h"
#include "labelprobe/model/open.h"
#include "labelprobe/model/sentence_encoder.h"
#include "labelprobe/server/open.h"
#include "labelprobe/tokenizer/chat_template.h"
#include "labelprobe/tokenizer/tokenizer.h"

namespace labelprobe::experiment {

class ServedModel;

// model::ModelInfo::device of a model behind a server.
inline constexpr const char* kServerDevice = "server";

// A model behind a server.
struct ServerLoading {
  server::Options options;
  int n_top = 0;  // log-probabilities asked for at each step; 0 = as is usual there
  bool sends_instruction = false;  // as a system message too
  bool keeps_failed = false;       // what gets no answer stays so, and the run is over
  // What a million tokens cost: of prompts, of answers. Unset = not known.
  std::optional<std::pair<double, double>> prices;
};

// How the model of a run is opened.
struct ModelLoading {
  std::string name;             // folder, .gguf file, or name in the Hugging Face cache
  std::string copy;             // the same, nearer: read in its place; empty = none
  std::filesystem::path model;  // where that was found; filled in by prepare()
  model::OpenOptions options;
  std::string splitting;  // see tokenizer::load(); empty = as the model says
  // Where the quantised weights are written before they are run from there; empty = nowhere.
  std::filesystem::path packed_copy;
  // Where these were asked for, for messages.
  std::string packed_copy_place;
  std::string tf32_place;
  std::string fast_place;
  std::optional<ServerLoading> served;  // in place of all but the name; unset = a model in files
};

// Which sentence encoder compares texts.
struct SentenceEncoderChoice {
  std::string name;  // folder or name; empty = none
  std::string device = "auto";
  int n_threads = 0;
};

// Where models come from: from files, unless a test says otherwise. Functions throw what those
// throw whose names they have.
class ModelSource {
 public:
  virtual ~ModelSource() = default;
  virtual std::filesystem::path locate(const std::string& name) const;
  virtual std::string resolve_device(const std::string& device) const;
  virtual std::shared_ptr<const tokenizer::Tokenizer> load_tokenizer(
      const std::filesystem::path& model, const std::string& splitting) const;
  virtual std::optional<tokenizer::ChatTemplate> chat_template(
      const std::filesystem::path& model) const;
  virtual model::ModelInfo inspect(const ModelLoading& loading) const;
  virtual std::unique_ptr<model::LanguageModel> open(const std::filesystem::path& model,
                                                     const model::OpenOptions& options) const;
  virtual std::unique_ptr<model::SentenceEncoder> open_sentence_encoder(
      const std::filesystem::path& folder, const SentenceEncoderChoice& choice) const;
  virtual void save_quantized(const ModelLoading& loading) const;
};

class Workbench {
 public:
  // What is said before (`seconds` < 0) and after texts are encoded.
  struct Encoding {
    std::filesystem::path encoder;
    std::size_t n_texts = 0;
    std::string device;
    double seconds = -1;
  };
  using EncodingListener = std::function<void(const Encoding&)>;

  explicit Workbench(EncodingListener on_encoding = {},
                     std::unique_ptr<const ModelSource> source = std::make_unique<ModelSource>());

  const ModelSource& source() const { return *source_; }

  std::shared_ptr<const tokenizer::Tokenizer> tokenizer(const ModelLoading& loading);

  // What the headers of the weights say. Throws as model::inspect() does.
  const model::ModelInfo& inspect(const ModelLoading& loading);

  // Runs may share a packed copy, which is written once. Throws ConfigError if it is there from
  // before, or other weights are to go to the same folder.
  void plan_packed_copy(const ModelLoading& loading);

  // Writes the packed copy that was planned, unless there is none to write or this has been done.
  // Says whether it wrote. Throws as weights::save_quantized() does.
  bool write_packed_copy(const ModelLoading& loading);

  // Loads at the first call; `is_new` tells. From the packed copy where there is one. Throws as
  // model::open() does.
  struct Opened {
    model::LanguageModel& model;
    bool is_new;
  };
  Opened open(const ModelLoading& loading);

  // The server's model, which is asked who it is at the first call. Throws as server::open() does.
  ServedModel& served(const ModelLoading& loading);

  // What encodes texts for Settings::sentence_vectors; unset if no encoder is named. The encoder is
  // looked for and loaded only when there are texts that it has not seen here, and put away again.
  // The workbench must outlive it.
  std::function<EncodedTexts(std::span<const std::string>)> text_encoder(
      const SentenceEncoderChoice& choice);

 private:
  EncodedTexts encode(const SentenceEncoderChoice& choice, std::span<const std::string> texts);
  void encode_new(const SentenceEncoderChoice& choice, std::span<const std::string> texts);

  EncodingListener on_encoding_;
  std::unique_ptr<const ModelSource> source_;
  std::string tokenizer_is_;  // the model and the splitting it was loaded for
  std::shared_ptr<const tokenizer::Tokenizer> tokenizer_;
  std::string inspected_;  // path and numerics
  model::ModelInfo info_;
  std::string served_is_;  // address and options
  std::shared_ptr<ServedModel> served_;
  std::string opened_;  // path and options
  std::unique_ptr<model::LanguageModel> model_;
  struct PackedCopy {
    std::string weights;  // path and numerics
    bool is_written = false;
  };
  std::map<std::filesystem::path, PackedCopy> packed_copies_;  // by their folders
  std::filesystem::path encoder_path_;
  model::SentenceEncoderInfo encoder_info_;
  std::unordered_map<std::string, std::vector<float>> sentence_vectors_;  // by text
};

}  // namespace labelprobe::experiment
