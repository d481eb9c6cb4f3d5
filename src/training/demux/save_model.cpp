#include "training/demux/save_model.h"

#include <string_view>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/files/copy_file.h"
#include "labelprobe/files/output_file.h"

#include "training/demux/checkpoint.h"

namespace labelprobe::training {

namespace fs = std::filesystem;

void save_model(const fs::path& folder,
                const DemuxSettings& settings,
                const LabelSet& labels,
                const DemuxModel& model) {
  try {
    fs::create_directories(folder);
    for (const char* name : {"config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt",
                             "special_tokens_map.json", "added_tokens.json"}) {
      if (fs::exists(settings.encoder / name)) {
        files::copy_file(settings.encoder / name, folder / name);
      }
    }
  } catch (const fs::filesystem_error& error) {
    throw ConfigError(fmt::format("{}: cannot be written: {}", folder.string(), error.what()));
  }
  files::OutputFile names(folder / "labels.json");
  names.stream() << nlohmann::json(labels.names()).dump() << '\n';
  names.finish();
  NamedTensors tensors;
  constexpr std::string_view kHead = "head.";
  for (const auto& [name, tensor] : model.values()) {
    if (!name.starts_with(kHead)) {
      tensors["bert." + name] = tensor;
    } else if (!settings.discards_classifier) {
      tensors[fmt::format("{}.{}", settings.classifier_name, name.substr(kHead.size()))] = tensor;
    }
  }
  write_tensors(folder / "model.safetensors", tensors, {{"format", "pt"}});
}

}  // namespace labelprobe::training
