#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include "fuzz/fuzz_input.h"
#include "kernels/copy_image.h"
#include "kernels/copy_image_ref.h"
#include "kernels/fill_hidden.h"

namespace tlsc {
namespace {

constexpr Element kElements[] = {Element::kUint8, Element::kUint16, Element::kFloat16,
                                 Element::kFloat32};

ImageLayout Layout(FuzzInput& input) {
  return {kElements[input.Below(4)], input.OneIn(2), 1 + input.Below(4), 1 + input.Below(12),
          1 + input.Below(200)};
}

// Of just these bytes, so that a step beyond them is seen.
std::unique_ptr<unsigned char[]> Memory(size_t size) {
  return std::make_unique<unsigned char[]>(size);
}

// Of whole numbers and maps that change nothing: every pixel of the output is one of the input.
void CheckPlaces(const unsigned char* from, const ImageLayout& in, const unsigned char* to,
                 const ImageLayout& out) {
  if (in.element != Element::kUint8 || out.element != Element::kUint8) return;
  const auto at = [](const ImageLayout& layout, size_t channel, size_t row, size_t column) {
    return layout.channels_last ? (row * layout.width + column) * layout.channels + channel
                                : (channel * layout.height + row) * layout.width + column;
  };
  for (size_t c = 0; c < std::min(in.channels, out.channels); ++c) {
    for (size_t y = 0; y < out.height; ++y) {
      for (size_t x = 0; x < out.width; ++x) {
        const size_t place = at(in, c, CopyImagePlaceRef(y, in.height, out.height),
                                CopyImagePlaceRef(x, in.width, out.width));
        Expect(to[at(out, c, y, x)] == from[place], "the pixel of that place");
      }
    }
  }
}

void Copy(FuzzInput& input) {
  const ImageLayout in = Layout(input);
  ImageLayout out = Layout(input);
  const bool summarizes = input.OneIn(2);
  if (summarizes) out.element = Element::kFloat32;
  const bool is_plain = input.OneIn(2);
  ImageMap map = {};
  for (size_t c = 0; c < kMaxImageChannels; ++c) {
    map.mix[c][c] = 1;
    if (!is_plain) map.mix[c][input.Below(4)] = input.Raw<float>();
    map.multiply[c] = is_plain ? 1 : input.Raw<float>();
    map.divide[c] = is_plain ? 1 : input.Raw<float>();
    map.add[c] = is_plain ? 0 : input.Raw<float>();
  }
  const auto from = Memory(ByteSize(in));
  for (size_t i = 0; i < ByteSize(in); ++i) from[i] = static_cast<unsigned char>(input.Byte() + i);
  const auto to = Memory(ByteSize(out));
  ImageSummary summary = {};
  SerialLoop loop;
  const bool writes = !summarizes || !input.OneIn(2);
  const Status status = CopyImage(from.get(), in, map, loop, writes ? to.get() : nullptr, out,
                                  summarizes ? &summary : nullptr);
  Expect(status.ok(), status.message.c_str());
  if (writes && is_plain) CheckPlaces(from.get(), in, to.get(), out);
  if (!summarizes) return;
  Expect(summary.least <= summary.greatest, "the least to be at most the greatest");
  Expect(summary.outside >= 0 && summary.outside <= 1, "a share");
}

void Fill(FuzzInput& input) {
  const size_t channels = 1 + input.Below(3);
  const size_t height = 1 + input.Below(20);
  const size_t width = 1 + input.Below(20);
  std::vector<float> planes(channels * height * width);
  for (float& value : planes) value = static_cast<float>(input.Byte());
  std::vector<uint8_t> alpha(height * width);
  bool is_visible = false;
  for (uint8_t& value : alpha) {
    value = input.OneIn(3) ? 1 : 0;
    is_visible = is_visible || value > 0;
  }
  const std::vector<float> given = planes;
  Expect(FillHidden(planes.data(), channels, height, width, alpha.data()).ok(), "it to be filled");
  for (size_t i = 0; i < planes.size(); ++i) {
    const bool stays = alpha[i % alpha.size()] > 0 || !is_visible;
    Expect(stays ? planes[i] == given[i] : std::isfinite(planes[i]), "visible pixels to stay");
  }
}

}  // namespace
}  // namespace tlsc

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tlsc::FuzzInput input(data, size);
  if (input.OneIn(4)) {
    tlsc::Fill(input);
  } else {
    tlsc::Copy(input);
  }
  return 0;
}
