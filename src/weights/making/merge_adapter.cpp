// A model folder whose weights hold the updates of an adapter.
#include <span>
#include <vector>

#include <ATen/ATen.h>

#include "labelprobe/core/error.h"
#include "labelprobe/files/new_folder.h"
#include "labelprobe/files/safetensors_writer.h"
#include "labelprobe/weights/making.h"

#include "weights/checkpoint/checkpoint.h"
#include "weights/device/dtype.h"
#include "weights/making/folder_files.h"

namespace labelprobe::weights {
namespace {

namespace fs = std::filesystem;

void write_merged(Checkpoint& checkpoint,
                  DType dtype,
                  Quantization quantization,
                  const fs::path& folder) {
  const std::vector<Parameter> parameters = parameters_of(checkpoint.config());
  std::vector<files::TensorToWrite> tensors;
  for (const Parameter& parameter : parameters) {
    tensors.push_back({parameter.name, safetensors_type(dtype), parameter.shape});
  }
  files::SafetensorsWriter writer(folder, tensors);
  checkpoint.start_reading();
  for (const Parameter& parameter : parameters) {
    const at::Tensor merged = at::empty(parameter.shape, scalar_type(dtype));
    checkpoint.load_effective(parameter, quantization, merged);
    writer.write(parameter.name,
                 {static_cast<const std::byte*>(merged.const_data_ptr()), merged.nbytes()});
  }
  checkpoint.check_all_loaded();
  writer.close();
}

}  // namespace

void merge_adapter(const fs::path& model,
                   const fs::path& adapter,
                   DType dtype,
                   Quantization quantization,
                   const fs::path& to) {
  Checkpoint checkpoint = Checkpoint::open(model);
  checkpoint.add_adapter(adapter);
  files::write_new_folder(to, ErrorKind::Model, [&](const fs::path& folder) {
    write_folder_files(model, checkpoint.config(), dtype, Quantization::None, folder);
    write_merged(checkpoint, dtype, quantization, folder);
  });
}

}  // namespace labelprobe::weights
