#include "app/commands/sentence_encoding.h"

#include "labelprobe/core/error.h"
#include "labelprobe/weights/locate.h"

namespace labelprobe::app {

namespace {

// sentence-transformers' own encoders are named without their organisation.
std::filesystem::path locate_encoder(const std::string& name) {
  const bool is_bare = name.find('/') == std::string::npos && !std::filesystem::exists(name);
  return weights::locate(is_bare ? "sentence-transformers/" + name : name);
}

}  // namespace

void add_sentence_encoder(const SentenceEncoderSettings& encoder,
                          const model::OpenOptions& model,
                          Workbench& workbench,
                          experiment::Settings& settings) {
  if (encoder.model.empty()) {
    return;
  }
  settings.sentence_vectors.encode =
      [name = encoder.model, device = encoder.device.value_or(model.device),
       n_threads = model.n_threads, &workbench](std::span<const std::string> texts) {
        return workbench.encode_sentences(locate_encoder(name), device, n_threads, texts);
      };
}

}  // namespace labelprobe::app
