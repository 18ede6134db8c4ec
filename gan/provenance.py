"""The mark on images and films that says a trained model made them.

It is not in gan.images, because film.py works without torch.
"""

MAKER = "GANarium"

# IPTC Photo Metadata Standard 2023.2, property DigitalSourceType of the schema Iptc4xmpExt.
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    'Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"/></rdf:RDF></x:xmpmeta>'
)
# for formats with a text field
COMMENT = f"{MAKER}: drawn by a trained model (trainedAlgorithmicMedia)"
