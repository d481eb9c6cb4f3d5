#include "app/options/comma_list.h"

#include <algorithm>

namespace labelprobe::app {

std::vector<std::string> split_at_commas(const std::vector<std::string>& values) {
  std::vector<std::string> parts;
  for (const std::string& value : values) {
    for (std::size_t begin = 0; begin <= value.size();) {
      const std::size_t end = std::min(value.find(',', begin), value.size());
      std::string part = value.substr(begin, end - begin);
      if (!part.empty() && std::find(parts.begin(), parts.end(), part) == parts.end()) {
        parts.push_back(std::move(part));
      }
      begin = end + 1;
    }
  }
  return parts;
}

}  // namespace labelprobe::app
