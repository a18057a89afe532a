#include "kernels/copy_image.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <mutex>
#include <string>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/copy_image.cc"
#include <hwy/foreach_target.h>

#include "kernels/bands.h"
#include "kernels/copy_image-inl.h"
#include "kernels/copy_image_span.h"
#include "kernels/target.h"

HWY_BEFORE_NAMESPACE();
namespace tlsc {
namespace HWY_NAMESPACE {

void CopySpanEntry(const SpanCopy& copy, size_t from_first, size_t to_first, size_t count,
                   SpanSummary* summary) {
  CopyAnySpan(copy, from_first, to_first, count, summary);
}

}  // namespace HWY_NAMESPACE
}  // namespace tlsc
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tlsc {
namespace {

HWY_EXPORT(CopySpanEntry);

bool IsWhole(Element element) { return element == Element::kUint8 || element == Element::kUint16; }

float LargestOf(Element element) {
  if (!IsWhole(element)) return 1.0f;
  return element == Element::kUint8 ? 255.0f : 65535.0f;
}

ChannelMap MapOf(const ImageMap& map, size_t channel, const ImageLayout& from) {
  const auto& weights = map.mix[channel];
  size_t first = 0;
  while (first + 1 < from.channels && weights[first] == 0.0f) ++first;
  const auto rest = weights.begin() + static_cast<std::ptrdiff_t>(first) + 1;
  const auto end = weights.begin() + static_cast<std::ptrdiff_t>(from.channels);
  const bool is_one =
      weights[first] == 1.0f && std::all_of(rest, end, [](float weight) { return weight == 0.0f; });
  const float multiply = map.multiply[channel];
  const float divide = map.divide[channel] * LargestOf(from.element);
  const float add = map.add[channel];
  const bool is_plain = multiply == 1.0f && divide == 1.0f && add == 0.0f;
  return {!is_one, is_plain, first, from.channels, weights, multiply, divide, add};
}

// The place in the input of what fills up the output at `index`.
size_t PlaceOf(size_t index, size_t length, size_t padded) {
  if (index < length) return index;
  const size_t beyond = index - (length - 1);
  return padded - length < length ? length - 1 - beyond : length - 1;
}

// Fills up a row of the output from its own first pixels.
void FillRow(const SpanCopy& copy, size_t row) {
  const ImageLayout& out = copy.to_layout;
  const auto [top, left, height, width] = copy.to_region;
  const size_t size = SizeOf(out.element);
  const size_t run = out.channels_last ? out.channels * size : size;
  const size_t planes = out.channels_last ? 1 : out.channels;
  for (size_t plane = 0; plane < planes; ++plane) {
    const size_t first = (plane * out.height + top + row) * out.width + left;
    char* const pixels = static_cast<char*>(copy.to) + first * run;
    for (size_t i = copy.from_region.width; i < width; ++i) {
      std::memcpy(pixels + i * run, pixels + PlaceOf(i, copy.from_region.width, width) * run, run);
    }
  }
}

void CopyRow(const SpanCopy& copy, size_t row, SpanSummary* summary) {
  const ImageRegion& in = copy.from_region;
  const ImageRegion& out = copy.to_region;
  const size_t from_row = in.top + PlaceOf(row, in.height, out.height);
  const size_t from_first = from_row * copy.from_layout.width + in.left;
  const size_t to_first = (out.top + row) * copy.to_layout.width + out.left;
  const size_t width = std::min(in.width, out.width);
  for (size_t begin = 0; begin < width; begin += kSpan) {
    HWY_DYNAMIC_DISPATCH(CopySpanEntry)
    (copy, from_first + begin, to_first + begin, std::min(kSpan, width - begin),
     row < in.height ? summary : nullptr);
  }
  if (copy.to != nullptr) FillRow(copy, row);
}

void Add(const SpanSummary& part, SpanSummary& total) {
  total.least = std::min(total.least, part.least);
  total.greatest = std::max(total.greatest, part.greatest);
  total.sum += part.sum;
  total.count += part.count;
  total.finite += part.finite;
  total.inside += part.inside;
}

ImageSummary ToSummary(const SpanSummary& total) {
  if (total.finite == 0) return {false, 0, 0, 0, 1};
  return {total.finite == total.count, total.least, total.greatest,
          total.sum / static_cast<double>(total.finite),
          static_cast<double>(total.count - total.inside) / static_cast<double>(total.count)};
}

}  // namespace

size_t SizeOf(Element element) {
  switch (element) {
    case Element::kUint8:
      return 1;
    case Element::kUint16:
    case Element::kFloat16:
      return 2;
    case Element::kFloat32:
      return 4;
  }
  return 0;
}

Status CheckLayout(const char* name, const ImageLayout& layout) {
  const auto [element, channels_last, channels, height, width] = layout;
  if (channels < 1 || channels > kMaxImageChannels)
    return InvalidArgument(name, "1 to 4 channels", std::to_string(channels));
  const std::string size = std::to_string(height) + "x" + std::to_string(width);
  if (height == 0 || width == 0) return InvalidArgument(name, "an image that has pixels", size);
  if (height > size_t{PTRDIFF_MAX} / (channels * sizeof(float)) / width)
    return InvalidArgument(name, "an image that memory can hold", size);
  return {};
}

size_t ByteSize(const ImageLayout& layout) {
  return layout.channels * layout.height * layout.width * SizeOf(layout.element);
}

ImageRegion WholeOf(const ImageLayout& layout) { return {0, 0, layout.height, layout.width}; }

Status CheckRegion(const char* name, const ImageRegion& region, const ImageLayout& layout) {
  const auto [top, left, height, width] = region;
  const auto fits = [](size_t begin, size_t length, size_t whole) {
    return length >= 1 && length <= whole && begin <= whole - length;
  };
  if (fits(top, height, layout.height) && fits(left, width, layout.width)) return {};
  return InvalidArgument(name, "a region of its image",
                         std::to_string(height) + "x" + std::to_string(width) + " at " +
                             std::to_string(top) + ", " + std::to_string(left));
}

Status CopyImage(const void* from, const ImageLayout& from_layout, const ImageMap& map,
                 ParallelLoop& loop, void* to, const ImageLayout& to_layout,
                 ImageSummary* summary) {
  return CopyImageRegion(from, from_layout, WholeOf(from_layout), map, loop, to, to_layout,
                         WholeOf(to_layout), summary);
}

Status CopyImageRegion(const void* from, const ImageLayout& from_layout,
                       const ImageRegion& from_region, const ImageMap& map, ParallelLoop& loop,
                       void* to, const ImageLayout& to_layout, const ImageRegion& to_region,
                       ImageSummary* summary) {
  if (Status status = CheckLayout("the input", from_layout); !status.ok()) return status;
  if (Status status = CheckLayout("the output", to_layout); !status.ok()) return status;
  if (Status status = CheckRegion("the input", from_region, from_layout); !status.ok())
    return status;
  if (Status status = CheckRegion("the output", to_region, to_layout); !status.ok()) return status;
  if (summary != nullptr && to_layout.element != Element::kFloat32)
    return InvalidArgument("the output", "float32, to be summed up", "another type");
  if (Status status = ChooseTarget(); !status.ok()) return status;

  // What is summed up is read again.
  const size_t elements = to_region.height * to_region.width * to_layout.channels;
  const bool streams = to_layout.element == Element::kFloat32 &&
                       elements * sizeof(float) >= kStreamedBytes && summary == nullptr;
  SpanCopy copy = {from, from_layout, from_region, {}, to, to_layout, to_region, streams};
  for (size_t c = 0; c < to_layout.channels; ++c) copy.channels[c] = MapOf(map, c, from_layout);
  const size_t rows = to_region.height;
  const size_t tasks = std::min(rows, RowTasks(elements));
  SpanSummary total;
  std::mutex mutex;  // of the total
  const auto run_task = [&](size_t task) {
    SpanSummary part;
    const size_t end = rows * (task + 1) / tasks;
    for (size_t row = rows * task / tasks; row < end; ++row)
      CopyRow(copy, row, summary == nullptr ? nullptr : &part);
    // What went past the caches is not ordered with what tells other threads that it is done.
    if (streams) hwy::FlushStream();
    const std::lock_guard<std::mutex> lock(mutex);
    Add(part, total);
  };
  Status status = loop.Run(tasks, std::cref(run_task));  // by reference: a copy would be allocated
  if (status.ok() && summary != nullptr) *summary = ToSummary(total);
  return status;
}

}  // namespace tlsc
#endif  // HWY_ONCE
