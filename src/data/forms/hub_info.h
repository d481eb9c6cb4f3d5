// What a data set of the Hugging Face hub says about itself: its configurations, the files of their
// splits, and the features, which are columns with their types. It stands in the front matter of
// README.md (`configs`, `dataset_info`), in dataset_infos.json or dataset_info.json, or in the
// metadata of its Parquet files.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace labelprobe::data {

struct Feature {
  enum class Kind {
    Text,
    Class,    // the number of one of `names`
    Classes,  // a list of such numbers
    Texts,    // a list of texts
    Flag,     // a boolean
    Number,
    Other,
  };
  std::string name;
  Kind kind = Kind::Other;
  std::vector<std::string> names;  // of Class and Classes
};

struct HubConfig {
  std::string name = "default";
  bool is_default = false;
  std::vector<Feature> features;  // empty: nobody says
  // By split: patterns of paths below the folder. Empty: by the names of the files.
  std::vector<std::pair<std::string, std::vector<std::string>>> files;
};

// Throws DataError (file, line or key) for descriptions that cannot be understood.
std::vector<HubConfig> read_hub_configs(const std::filesystem::path& folder);

// The features in the metadata "huggingface" of a Parquet file; empty if that is no such text.
std::vector<Feature> features_in_metadata(std::string_view text);

}  // namespace labelprobe::data
