#include "labelprobe/experiment/workbench.h"
#include "labelprobe/model/open.h"
#include "labelprobe/tokenizer/chat_template.h"
#include "labelprobe/weights/locate.h"
#include "labelprobe/weights/making.h"

namespace labelprobe::experiment {

std::filesystem::path ModelSource::locate(const std::string& name) const {
  return weights::locate(name);
}

std::string ModelSource::resolve_device(const std::string& device) const {
  return model::resolve_device(device);
}

std::shared_ptr<const tokenizer::Tokenizer> ModelSource::load_tokenizer(
    const std::filesystem::path& model, const std::string& splitting) const {
  return tokenizer::load(model, splitting);
}

std::optional<tokenizer::ChatTemplate> ModelSource::chat_template(
    const std::filesystem::path& model) const {
  return tokenizer::chat_template(model);
}

model::ModelInfo ModelSource::inspect(const ModelLoading& loading) const {
  return model::inspect(loading.model, loading.options);
}

std::unique_ptr<model::LanguageModel> ModelSource::open(const std::filesystem::path& model,
                                                        const model::OpenOptions& options) const {
  return model::open(model, options);
}

std::unique_ptr<model::SentenceEncoder> ModelSource::open_sentence_encoder(
    const std::filesystem::path& folder, const SentenceEncoderChoice& choice) const {
  return model::open_sentence_encoder(folder, choice.device, choice.n_threads);
}

void ModelSource::save_quantized(const ModelLoading& loading) const {
  weights::save_quantized(loading.model, loading.options.dtype, loading.options.quantization,
                          loading.packed_copy);
}

}  // namespace labelprobe::experiment
