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

std::string encoder_device(const Options& options) {
  if (options.is_set("sentence_device")) {
    return options.text("sentence_device");
  }
  return options.has("device") ? options.text("device") : "auto";
}

}  // namespace

void add_sentence_encoder(const Options& options,
                          Workbench& workbench,
                          experiment::Settings& settings) {
  if (!options.is_set("sentence_model_name_or_path")) {
    return;
  }
  const std::string name = options.text("sentence_model_name_or_path");
  const std::string device = encoder_device(options);
  const auto n_threads = options.has("threads") ? options.integer("threads") : 0;
  settings.sentence_vectors.encode = [name, device, n_threads,
                                      &workbench](std::span<const std::string> texts) {
    return workbench.encode_sentences(locate_encoder(name), device, static_cast<int>(n_threads),
                                      texts);
  };
}

}  // namespace labelprobe::app
