// From the files of a model to its decoder: the whole, or this process's share.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include <c10/core/Device.h>
#include <c10/util/Exception.h>

#include "labelprobe/model/language_model.h"
#include "labelprobe/model/open.h"

#include "model/decoder/decoder.h"
#include "model/parallel/orders.h"

namespace labelprobe::model {

struct LoadedModel {
  ModelInfo info;
  Decoder decoder;
};

weights::Checkpoint open_checkpoint(const std::filesystem::path& model,
                                    const std::filesystem::path& adapter);

// How the weights are kept: as asked for, or in the blocks of their file. Throws ConfigError where
// they are asked to stay packed and cannot.
Quantization choose_quantization(const weights::Checkpoint& checkpoint,
                                 const std::filesystem::path& model,
                                 const OpenOptions& options);

// What libtorch could not do while a model was loaded, as a ModelError.
[[noreturn]] void throw_failure(const c10::Error& error,
                                const std::filesystem::path& model,
                                const c10::Device& device,
                                const std::string& devices);

// team: the processes that each load a share; null = this one loads all. Throws as open() does.
LoadedModel load_model(const std::filesystem::path& model, const OpenOptions& options, Team* team);

Parcel open_parcel(const std::filesystem::path& model,
                   const OpenOptions& options,
                   std::int64_t number);
std::pair<std::filesystem::path, OpenOptions> opening_of(Parcel& parcel);

// Loads the shares of all processes, all of which call it. Throws as load_model() does, also for
// what another process could not load.
//   number  of the model, the same on all
LoadedModel load_together(const std::filesystem::path& model,
                          const OpenOptions& options,
                          Team& team,
                          std::int64_t number);

}  // namespace labelprobe::model
